/* ctr-oci spec, features. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "cli/oci.h"
#include "runtime/caps.h"
#include "runtime/spec_build.h"

struct spec_opts {
	const char *bundle;
	bool rootless;
};

static const struct opt spec_table[] = {
	{OPT_STR, 'b', "bundle", "DIR", "Write DIR/config.json (default .)", offsetof(struct spec_opts, bundle)},
	{OPT_FLAG, 0, "rootless", NULL, "With a user namespace that maps root to the calling user",
	 offsetof(struct spec_opts, rootless)},
	OPT_END,
};

static int spec_run(void *opts, int argc, char **argv)
{
	static const char *const args[] = {"sh"},
				 *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
						 "TERM=xterm"};
	const struct spec_opts *o = opts;
	struct id_map map = {.container = 0, .host = getuid(), .size = 1};
	struct strbuf text = {0};
	struct spec_build b;

	(void)argc, (void)argv;
	_cleanup_(closep) int dir = openat(AT_FDCWD, o->bundle ? o->bundle : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail(-errno, "open bundle %s", o->bundle ? o->bundle : ".");
	if (faccessat(dir, "config.json", F_OK, 0) == 0)
		return refuse(-EEXIST, "config.json is there already: remove it first");
	spec_build_default(&b);
	b.args = args;
	b.n_args = ARRAY_SIZE(args);
	b.env = env;
	b.n_env = ARRAY_SIZE(env);
	b.terminal = true;
	b.no_new_privs = true;
	b.root_readonly = true;
	b.hostname = "ctr";
	if (o->rootless) {
		b.ns[NS_USER] = true;
		b.maps = (struct id_maps){.v = &map, .n = 1};
	}
	spec_build_write(&b, 2, &text);
	strbuf_putc(&text, '\n');
	int r = replace_file_at(dir, "config.json", text.p, text.len, 0644, false);
	strbuf_free(&text);
	spec_build_free(&b);
	return r;
}

const struct verb oci_spec = {
	.name = "spec",
	.usage = "[OPTIONS]",
	.summary = "Write a config.json to start from",
	.examples = "$ mkdir -p bundle/rootfs && ctr-oci spec -b bundle\n",
	.opts = spec_table,
	.opts_size = sizeof(struct spec_opts),
	.run = spec_run,
};

/* The features document, features-linux.md: what a caller may put into a spec. */
static int features_run(void *opts, int argc, char **argv)
{
	static const char *const hooks[] = {"prestart",       "createRuntime", "createContainer",
					    "startContainer", "poststart",     "poststop"};
	static const char *const options[] = {
		"async",    "atime",       "bind",   "defaults",  "dev",         "diratime",    "exec",  "noatime",
		"nodev",    "nodiratime",  "noexec", "nosuid",    "nosymfollow", "private",     "rbind", "relatime",
		"rprivate", "ro",          "rro",    "rshared",   "rslave",      "runbindable", "rw",    "shared",
		"slave",    "strictatime", "suid",   "tmpcopyup", "unbindable"};
	struct strbuf text = {0};
	struct json_writer w = {.out = &text, .indent = 2};

	(void)opts, (void)argc, (void)argv;
	json_open(&w, NULL, '{');
	json_put_str(&w, "ociVersionMin", "1.0.0");
	json_put_str(&w, "ociVersionMax", SPEC_VERSION);
	json_put_strs(&w, "hooks", hooks, ARRAY_SIZE(hooks));
	json_put_strs(&w, "mountOptions", options, ARRAY_SIZE(options));
	json_open(&w, "linux", '{');
	json_open(&w, "namespaces", '[');
	for (int t = 0; t < NS_TYPES; t++)
		json_put_str(&w, NULL, ns_info[t].name);
	json_close(&w, ']');
	json_open(&w, "capabilities", '[');
	for (int i = 0; cap_name(i); i++)
		json_put_str(&w, NULL, cap_name(i));
	json_close(&w, ']');
	json_open(&w, "cgroup", '{');
	json_put_bool(&w, "v1", false);
	json_put_bool(&w, "v2", true);
	json_put_bool(&w, "systemd", false);
	json_put_bool(&w, "systemdUser", false);
	json_close(&w, '}');
	json_open(&w, "seccomp", '{');
	json_put_bool(&w, "enabled", true);
	json_close(&w, '}');
	json_open(&w, "apparmor", '{');
	json_put_bool(&w, "enabled", true);
	json_close(&w, '}');
	json_open(&w, "selinux", '{');
	json_put_bool(&w, "enabled", false);
	json_close(&w, '}');
	json_close(&w, '}');
	json_close(&w, '}');
	puts(strbuf_str(&text));
	strbuf_free(&text);
	return 0;
}

const struct verb oci_features = {
	.name = "features",
	.usage = "",
	.summary = "Say what this runtime can do, as JSON",
	.examples = "$ ctr-oci features\n",
	.run = features_run,
};
