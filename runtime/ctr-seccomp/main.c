/*
 * ctr-seccomp: makes a seccomp filter of a profile.
 *
 *   ctr-seccomp --caps HEX < PROFILE       a profile, for a container with these capabilities
 *   ctr-seccomp --caps HEX --default       the built-in policy
 *
 * The program goes to standard output as an array of struct sock_filter. What is only worth knowing
 * while debugging goes to standard error on a status of 0; on a status of 1 its last line is the error.
 */
#include <stdio.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "base/fd.h"
#include "runtime/ctr-seccomp/compile.h"
#include "runtime/ctr-seccomp/profile.h"
#include "runtime/ctr-seccomp/syscalls.h"

#define PROFILE_MAX ((size_t)8 << 20)

/* One line, whatever names the profile has in it. */
static void print_line(enum log_level level, const char *text)
{
	char line[ERROR_TEXT_MAX + 2];
	size_t n = 0;

	(void)level;
	for (; n < ERROR_TEXT_MAX && text[n]; n++)
		line[n] = (unsigned char)text[n] < ' ' || text[n] == 0x7f ? '?' : text[n];
	line[n++] = '\n';
	if (write_all(STDERR_FILENO, line, n) < 0)
		return;
}

static int parse_caps(const char *text, uint64_t *caps)
{
	char *end;

	errno = 0;
	*caps = strtoull(text, &end, 16);
	if (errno || end == text || *end || text[0] == '-')
		return refuse(-EINVAL, "--caps must be a hexadecimal mask, not %s", text);
	return 0;
}

static int read_env(struct profile_env *env)
{
	struct utsname uts;

	env->arch = host_arch();
	if (uname(&uts) < 0 || sscanf(uts.release, "%u.%u", &env->kernel_major, &env->kernel_minor) != 2)
		return refuse(-EINVAL, "cannot tell the kernel's version");
	return 0;
}

static int read_profile(const struct profile_env *env, struct json_doc *doc, struct profile *profile)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r = read_all(STDIN_FILENO, PROFILE_MAX, &text, &len);

	if (r < 0)
		return fail(r, "read the seccomp profile");
	r = json_parse(text, len, "the seccomp profile", doc);
	if (r < 0)
		return r;
	r = profile_parse(doc->root, env, profile);
	return r < 0 ? fail_in(r, "seccomp profile") : 0;
}

static int write_filter(struct profile *profile)
{
	_cleanup_(freep) struct sock_filter *code = NULL;
	unsigned short len;

	profile_fit_host(profile);
	int r = profile_compile(profile, syscall_find, &code, &len);
	if (r < 0)
		return fail_in(r, "seccomp profile");
	r = write_all(STDOUT_FILENO, code, len * sizeof(*code));
	return r < 0 ? fail(r, "write the filter") : 0;
}

static int run(int argc, char **argv)
{
	struct profile_env env = {0};
	struct profile profile = {0};
	struct json_doc doc = {0};
	bool builtin = false;
	int r = read_env(&env);

	for (int i = 1; r == 0 && i < argc; i++) {
		if (streq(argv[i], "--default"))
			builtin = true;
		else if (streq(argv[i], "--caps") && i + 1 < argc)
			r = parse_caps(argv[++i], &env.caps);
		else
			r = refuse(-EINVAL, "usage: ctr-seccomp [--caps HEX] [--default] < PROFILE > FILTER");
	}
	if (r == 0 && builtin)
		profile_default(&env, &profile);
	else if (r == 0)
		r = read_profile(&env, &doc, &profile);
	if (r == 0)
		r = write_filter(&profile);
	profile_free(&profile);
	json_free(&doc);
	return r;
}

int main(int argc, char **argv)
{
	log_set_sink(print_line);
	log_set_level(LOG_DEBUG);
	if (run(argc, argv) == 0)
		return 0;
	report_error();
	return 1;
}
