/* The OCI face: the command line that podman, containerd and Kubernetes call. */
#include "cli/oci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/table.h"

static const struct opt global_opts[] = {
	{OPT_STR, 0, "root", "DIR", "Keep the state of containers in DIR (default /run/ctr/oci)",
	 offsetof(struct globals, root)},
	{OPT_STR, 0, "log", "FILE", "Append diagnostics to FILE", offsetof(struct globals, log)},
	{OPT_STR, 0, "log-format", "text|json", "Form of the diagnostics", offsetof(struct globals, log_format)},
	{OPT_STR, 0, "log-level", "LEVEL", "debug, warning or error (default warning)",
	 offsetof(struct globals, log_level)},
	{OPT_FLAG, 0, "debug", NULL, "The same as --log-level debug", offsetof(struct globals, debug)},
	{OPT_STR, 0, "cgroup-manager", "MANAGER", "cgroupfs (default) or disabled",
	 offsetof(struct globals, cgroup_manager)},
	{OPT_FLAG, 0, "systemd-cgroup", NULL, "Refused: systemd's cgroup manager is not supported yet",
	 offsetof(struct globals, systemd_cgroup)},
	{OPT_STR, 0, "rootless", "true|false|auto", "Accepted for compatibility; ctr looks for itself",
	 offsetof(struct globals, rootless)},
	{OPT_STR, 0, "criu", "PATH", "Accepted for compatibility; there is no checkpoint yet",
	 offsetof(struct globals, criu)},
	{OPT_FLAG, 'v', "version", NULL, "Print the version", offsetof(struct globals, version)},
	OPT_END,
};

static const struct verb *const verbs[] = {
	&oci_create, &oci_start, &oci_run,   &oci_exec,   &oci_state, &oci_kill,     &oci_delete,
	&oci_list,   &oci_ps,    &oci_pause, &oci_resume, &oci_spec,  &oci_features,
};

static int log_fd = -1;

/* One line a message, as runc writes it: podman and containerd read the last one. */
static void sink_log(enum log_level level, const char *text)
{
	static const char *const names[] = {"error", "warning", "debug"};
	struct strbuf line = {0};
	struct json_writer w = {.out = &line};
	char now[36];

	if (globals.log_format && streq(globals.log_format, "json")) {
		json_open(&w, NULL, '{');
		json_put_str(&w, "level", names[level]);
		json_put_str(&w, "msg", text);
		json_put_str(&w, "time", clock_rfc3339(clock_now(), now));
		json_close(&w, '}');
		strbuf_putc(&line, '\n');
	} else {
		strbuf_printf(&line, "%s%s: %s\n", log_fd < 0 ? "ctr-oci: " : "", names[level], text);
	}
	write_all(log_fd < 0 ? STDERR_FILENO : log_fd, line.p, line.len);
	/* Whoever runs us by hand reads stderr, whatever the log is. */
	if (log_fd >= 0 && level == LOG_ERROR) {
		strbuf_free(&line);
		strbuf_printf(&line, "ctr-oci: %s\n", text);
		write_all(STDERR_FILENO, line.p, line.len);
	}
	strbuf_free(&line);
}

static int open_log(void)
{
	const char *level = globals.log_level;

	log_set_sink(sink_log);
	if (globals.debug || (level && (streq(level, "debug") || streq(level, "trace"))))
		log_set_level(LOG_DEBUG);
	else if (level && (streq(level, "error") || streq(level, "fatal") || streq(level, "panic")))
		log_set_level(LOG_ERROR);
	if (globals.log_format && !streq(globals.log_format, "json") && !streq(globals.log_format, "text"))
		return refuse(-EINVAL, "--log-format must be text or json, not %s", globals.log_format);
	if (!globals.log)
		return 0;
	int fd = openat(AT_FDCWD, globals.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail(-errno, "open log %s", globals.log);
	log_fd = fd;
	return 0;
}

static int check_globals(void)
{
	if (globals.systemd_cgroup || (globals.cgroup_manager && streq(globals.cgroup_manager, "systemd")))
		return refuse(-EOPNOTSUPP, "the systemd cgroup manager is not supported by this version of ctr; "
					   "use --cgroup-manager cgroupfs (in podman too)");
	if (globals.cgroup_manager && !streq(globals.cgroup_manager, "cgroupfs") &&
	    !streq(globals.cgroup_manager, "disabled"))
		return refuse(-EINVAL, "unknown cgroup manager %s (cgroupfs, disabled)", globals.cgroup_manager);
	return 0;
}

int oci_main(int argc, char **argv)
{
	opt_set_program("ctr-oci", "Run containers from OCI bundles, for podman, containerd and Kubernetes");
	int r = opt_parse_globals(global_opts, &globals, sizeof(globals), &argc, &argv);
	if (!globals.root)
		globals.root = OCI_ROOT;
	if (r >= 0) {
		int s = open_log();
		r = s < 0 ? s : r;
	}
	if (r < 0) {
		report_error();
		return 1;
	}
	if (globals.version) {
		/* Callers read the first word, the "spec:" line and the feature words. */
		printf("ctr version %s\nspec: %s\n+SECCOMP +EBPF +CGROUP2\n", CTR_VERSION, SPEC_VERSION);
		return out_flush() < 0;
	}
	if (r == 1 || argc == 0) {
		opt_print_overview(verbs, ARRAY_SIZE(verbs), global_opts);
		return out_flush() < 0;
	}
	if (check_globals() < 0) {
		report_error();
		return 1;
	}
	r = cli_dispatch(verbs, ARRAY_SIZE(verbs), argc, argv);
	/* runc and crun fail with 1 where the engine says 125. */
	return r == EXIT_ENGINE ? 1 : r;
}
