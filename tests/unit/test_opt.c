/* The command line: parsing, messages, help, the manual page and completion, all from one table. */
#include "cli/opt.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "cli/table.h"
#include "tests/unit/unit.h"

struct run_opts {
	bool detach, tty, interactive, rm, sig_proxy;
	const char *name, *hostname, *pull;
	struct strv env, label;
	uint64_t shares, memory;
	int64_t swap, oom, stop_timeout;
};

#define AT(member) offsetof(struct run_opts, member)

static const struct opt run_table[] = {
	{OPT_FLAG, 'd', "detach", NULL, "Run in the background and print the container's ID", AT(detach)},
	{OPT_FLAG, 'i', "interactive", NULL, "Keep standard input open", AT(interactive)},
	{OPT_FLAG, 't', "tty", NULL, "Give the program a terminal", AT(tty)},
	{OPT_FLAG, 0, "rm", NULL, "Remove the container when it ends", AT(rm)},
	{OPT_STR, 0, "name", "NAME", "Name of the container", AT(name)},
	{OPT_STRS, 'e', "env", "KEY[=VALUE]", "Set a variable of the environment, or pass ours on", AT(env)},
	{OPT_FLAG, 0, "sig-proxy", NULL, "Pass signals on to the program", AT(sig_proxy)},
	{OPT_STR, 0, "pull", "always|missing|never", "When to fetch the image", AT(pull)},
	{OPT_HEADING, 0, "Resources", NULL, NULL, 0},
	{OPT_U64, 'c', "cpu-shares", "N", "Weight of the container's share of the CPU", AT(shares)},
	{OPT_BYTES, 'm', "memory", "SIZE", "Limit of memory", AT(memory)},
	{OPT_LIMIT, 0, "memory-swap", "SIZE", "Limit of memory and swap together", AT(swap)},
	{OPT_I64, 0, "oom-score-adj", "N", "Preference of the kernel's out-of-memory killer", AT(oom)},
	{OPT_DURATION, 0, "stop-timeout", "DURATION",
	 "How long the program may take to end after it was asked to, before it is killed; "
	 "0 does not wait",
	 AT(stop_timeout)},
	{OPT_HEADING, 0, "Network", NULL, NULL, 0},
	{OPT_STR, 'h', "hostname", "HOST", "Host name in the container", AT(hostname)},
	{OPT_STRS, 'l', "label", "KEY=VALUE", NULL, AT(label)},
	OPT_END,
};

static const struct run_opts run_defaults = {.sig_proxy = true, .stop_timeout = INT64_C(10000000000)};

static const struct verb run = {
	.name = "run",
	.usage = "[OPTIONS] IMAGE [COMMAND [ARG...]]",
	.summary = "Run a command in a new container",
	.details = "The image is fetched when it is not there. Options stand before the image; what follows it is "
		   "the command, with its own options.\n\nSee `ctr ps` for what runs. .dots and 'quotes' too:\n"
		   "  --name is\n  kept",
	.examples = "$ ctr run -it busybox sh\n$ ctr run -d --name web -p 8080:80 nginx",
	.group = "Containers",
	.opts = run_table,
	.opts_size = sizeof(struct run_opts),
	.defaults = &run_defaults,
	.min_args = 1,
	.max_args = -1,
	.rest_is_command = true,
};

struct rm_opts {
	bool force, all, quiet;
	const char *format;
};

static const struct opt rm_table[] = {
	{OPT_FLAG, 'f', "force", NULL, "Stop it first", offsetof(struct rm_opts, force)},
	OPT_END,
};
static const struct opt ps_table[] = {
	{OPT_FLAG, 'a', "all", NULL, "Show those that do not run, too", offsetof(struct rm_opts, all)},
	{OPT_STR, 0, "format", "table|json|TEMPLATE", "How to print", offsetof(struct rm_opts, format)},
	OPT_END,
};

#define VERB(var, words, args, text, heading, table, min, max, command)                                                \
	static const struct verb var = {                                                                               \
		.name = (words),                                                                                       \
		.usage = (args),                                                                                       \
		.summary = (text),                                                                                     \
		.examples = "$ ctr " words,                                                                            \
		.group = (heading),                                                                                    \
		.opts = (table),                                                                                       \
		.opts_size = sizeof(struct rm_opts),                                                                   \
		.min_args = (min),                                                                                     \
		.max_args = (max),                                                                                     \
		.rest_is_command = (command),                                                                          \
	}
VERB(rm, "rm", "[OPTIONS] CONTAINER...", "Remove containers", "Containers", rm_table, 1, -1, false);
VERB(ps, "ps", "[OPTIONS]", "List containers", "Containers", ps_table, 0, 0, false);
VERB(exec, "exec", "[OPTIONS] CONTAINER COMMAND [ARG...]", "Run in a container", "Containers", rm_table, 2, -1, true);
VERB(images, "images", "[OPTIONS]", "List images", "Images", ps_table, 0, 0, false);
VERB(tag, "tag", "IMAGE NAME", "Give an image a further name", "Images", NULL, 2, 2, false);
VERB(network_create, "network create", "[OPTIONS] NAME", "Make a network", "Networks", NULL, 1, 1, false);
VERB(network_ls, "network ls", "[OPTIONS]", "List networks", "Networks", ps_table, 0, 0, false);
VERB(network_rm, "network rm", "NETWORK...", "Remove networks", "Networks", NULL, 1, -1, false);
VERB(monitor, "monitor", "", NULL, NULL, NULL, 0, 0, false);
VERB(load, "load", "[OPTIONS] FILE", "Load images from an archive", "Images", NULL, 1, 1, false);
VERB(help, "help", "[COMMAND]", "Show help", NULL, NULL, 0, 1, false);

static const struct verb *const verbs[] = {&run,        &rm,         &ps,   &exec, &images, &tag, &network_create,
					   &network_ls, &network_rm, &load, &help, &monitor};

struct globals {
	const char *root;
	bool debug, version;
};

static const struct opt globals_table[] = {
	{OPT_STR, 0, "root", "DIR", "Where images and containers are kept", offsetof(struct globals, root)},
	{OPT_FLAG, 'D', "debug", NULL, "Say what is done", offsetof(struct globals, debug)},
	{OPT_FLAG, 'v', "version", NULL, "Show the version", offsetof(struct globals, version)},
	OPT_END,
};

/* --- helpers ------------------------------------------------------------------------------------------ */

/* A parsed command line; the words are cut out of one string. */
struct line {
	char text[512];
	char *words[32];
	char **argv;
	int argc;
	struct run_opts run;
	struct rm_opts rm;
};

static void split(struct line *l, const char *text)
{
	*l = (struct line){0};
	snprintf(l->text, sizeof(l->text), "%s", text);
	for (char *w = strtok(l->text, " "); w; w = strtok(NULL, " "))
		l->words[l->argc++] = streq(w, "''") ? w + 2 : w;
	l->argv = l->words;
}

static int parse(struct line *l, const struct verb *verb, const char *text)
{
	split(l, text);
	return opt_parse(verb, verb == &run ? (void *)&l->run : &l->rm, &l->argc, &l->argv);
}

/* The message of a command line that must be refused. */
static const char *refused(const struct verb *verb, const char *text)
{
	struct line l;

	return parse(&l, verb, text) == -EINVAL ? error_text() : "accepted";
}

/* What FUNCTION prints to stdout. */
static char *printed(void (*function)(void))
{
	int keep = dup(STDOUT_FILENO), fd = memfd_create("out", MFD_CLOEXEC);
	char *text = NULL;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	function();
	out_flush();
	dup2(keep, STDOUT_FILENO);
	lseek(fd, 0, SEEK_SET);
	read_all(fd, 1 << 20, &text, NULL);
	close(fd);
	close(keep);
	return text ? text : strdup("");
}

static size_t widest_line(const char *text)
{
	size_t widest = 0;

	for (; *text; text += strcspn(text, "\n") + 1)
		if (strcspn(text, "\n") > widest)
			widest = strcspn(text, "\n");
	return widest;
}

/* --- parsing ------------------------------------------------------------------------------------------ */

TEST("flags and values are found in every spelling")
{
	struct line l;

	CHECK(parse(&l, &run, "run -it --rm --name web -eA=B -e=C=D -e E --env=F= --env G=1 -m512m busybox") == 0);
	CHECK(l.run.interactive && l.run.tty && l.run.rm && !l.run.detach);
	CHECK(streq(l.run.name, "web") && l.run.memory == 512 << 20);
	CHECK(l.run.env.n == 5 && streq(l.run.env.v[0], "A=B") && streq(l.run.env.v[1], "C=D"));
	CHECK(streq(l.run.env.v[2], "E") && streq(l.run.env.v[3], "F=") && streq(l.run.env.v[4], "G=1"));
	CHECK(l.argc == 1 && streq(l.argv[0], "busybox") && !l.argv[1]);
	opt_free(&run, &l.run);
	CHECK(l.run.env.n == 0);
}

TEST("the last of a repeated option wins, and flags can be cleared")
{
	struct line l;

	CHECK(parse(&l, &run, "run --name a --name b -d --detach=false --tty=true -i=0 x") == 0);
	CHECK(streq(l.run.name, "b") && !l.run.detach && l.run.tty && !l.run.interactive);
}

TEST("defaults are kept where nothing is said")
{
	struct line l;

	CHECK(parse(&l, &run, "run x") == 0);
	CHECK(l.run.sig_proxy && l.run.stop_timeout == INT64_C(10000000000));
	CHECK(parse(&l, &run, "run --sig-proxy=false --stop-timeout 0 x") == 0);
	CHECK(!l.run.sig_proxy && l.run.stop_timeout == 0);
}

TEST("numbers, sizes, limits and durations are converted")
{
	struct line l;

	CHECK(parse(&l, &run, "run -c 1024 -m 1.5g --memory-swap -1 --oom-score-adj -500 --stop-timeout 1m30s x") == 0);
	CHECK(l.run.shares == 1024 && l.run.memory == UINT64_C(1610612736) && l.run.swap == -1);
	CHECK(l.run.oom == -500 && l.run.stop_timeout == INT64_C(90000000000));
	CHECK(parse(&l, &run, "run --memory-swap=2k x") == 0 && l.run.swap == 2048);
}

TEST("the command behind the image keeps its options")
{
	struct line l;

	CHECK(parse(&l, &run, "run -it busybox ls -l --name x -- y") == 0);
	CHECK(l.argc == 7 && streq(l.argv[1], "ls") && streq(l.argv[2], "-l") && streq(l.argv[4], "x"));
	CHECK(!l.run.name);
}

TEST("the command keeps a -- of its own, and one before the image ends the options")
{
	struct line l;

	CHECK(parse(&l, &run, "run busybox -- y") == 0 && l.argc == 3 && streq(l.argv[1], "--"));
	CHECK(parse(&l, &run, "run -d -- -odd -t") == 0 && l.argc == 2 && streq(l.argv[0], "-odd"));
	CHECK(l.run.detach && !l.run.tty);
	CHECK(parse(&l, &exec, "exec web -f sh -c exit") == 0 && l.rm.force && l.argc == 4);
	CHECK(streq(l.argv[0], "web") && streq(l.argv[2], "-c"));
}

TEST("other verbs take options anywhere, and a lone dash is an argument")
{
	struct line l;

	CHECK(parse(&l, &rm, "rm a -f - b") == 0 && l.rm.force && l.argc == 3);
	CHECK(streq(l.argv[0], "a") && streq(l.argv[1], "-") && streq(l.argv[2], "b"));
	CHECK(parse(&l, &rm, "rm a -- -f") == 0 && !l.rm.force && l.argc == 2 && streq(l.argv[1], "-f"));
}

TEST("an empty word is an argument, and an empty value a value")
{
	struct line l;

	CHECK(parse(&l, &rm, "rm ''") == 0 && l.argc == 1 && streq(l.argv[0], ""));
	CHECK(parse(&l, &run, "run --name= -e= x") == 0 && streq(l.run.name, "") && streq(l.run.env.v[0], ""));
	opt_free(&run, &l.run);
}

TEST("an alias works without being listed")
{
	struct line l;

	CHECK(parse(&l, &run, "run -l a=b --label c=d x") == 0 && l.run.label.n == 2);
	opt_free(&run, &l.run);
}

/* --- messages ----------------------------------------------------------------------------------------- */

TEST("an unknown option names its neighbour and the way to help")
{
	CHECK(streq(refused(&run, "run --naem web x"),
		    "unknown option --naem for `ctr run` (did you mean --name?); see `ctr run --help`"));
	CHECK(streq(refused(&run, "run --zzz x"), "unknown option --zzz for `ctr run`; see `ctr run --help`"));
	CHECK(streq(refused(&run, "run -z x"), "unknown option -z for `ctr run`; see `ctr run --help`"));
	CHECK(strstr(refused(&run, "run -name web x"), "option -name for `ctr run` (did you mean --name?)"));
	CHECK(strstr(refused(&run, "run --inter x"), "(did you mean --interactive?)"));
	CHECK(strstr(refused(&run, "run --nmae=web x"), "unknown option --nmae for"));
	CHECK(strstr(refused(&rm, "rm --Resources x"), "unknown option --Resources"));
	CHECK(strstr(refused(&run, "run --Resources x"), "unknown option --Resources"));
}

TEST("a missing or bad value names the option and what it takes")
{
	CHECK(streq(refused(&run, "run --name"), "--name needs a value, --name NAME; see `ctr run --help`"));
	CHECK(streq(refused(&run, "run -e"), "-e needs a value, -e KEY[=VALUE]; see `ctr run --help`"));
	CHECK(streq(refused(&run, "run -c many x"),
		    "-c takes a whole number from 0 up, not \"many\"; see `ctr run --help`"));
	CHECK(strstr(refused(&run, "run --cpu-shares -1 x"),
		     "--cpu-shares takes a whole number from 0 up, not \"-1\""));
	CHECK(strstr(refused(&run, "run -c 99999999999999999999 x"), "and 99999999999999999999 is out of range"));
	CHECK(strstr(refused(&run, "run -m lots x"), "-m takes a size such as 512m or 2g, not \"lots\""));
	CHECK(strstr(refused(&run, "run --memory-swap=-2 x"), "or -1 for no limit, not \"-2\""));
	CHECK(strstr(refused(&run, "run --memory-swap=16383p x"), "out of range"));
	CHECK(strstr(refused(&run, "run --stop-timeout soon x"), "takes a duration such as 10s or 1m30s"));
	CHECK(strstr(refused(&run, "run --rm=maybe x"), "--rm takes no value but true or false, not \"maybe\""));
	CHECK(strstr(refused(&run, "run --oom-score-adj 1.5 x"), "takes a whole number, not \"1.5\""));
}

TEST("too few or too many arguments are counted by their names")
{
	CHECK(streq(refused(&rm, "rm"), "`ctr rm` needs at least one CONTAINER; see `ctr rm --help`"));
	CHECK(streq(refused(&run, "run -d"), "`ctr run` needs an IMAGE; see `ctr run --help`"));
	CHECK(streq(refused(&tag, "tag a"), "`ctr tag` needs an IMAGE and a NAME; see `ctr tag --help`"));
	CHECK(streq(refused(&exec, "exec web"), "`ctr exec` needs a CONTAINER and a COMMAND; see `ctr exec --help`"));
	CHECK(streq(refused(&ps, "ps web"), "`ctr ps` takes no arguments, but \"web\" was given; see `ctr ps --help`"));
	CHECK(streq(refused(&tag, "tag a b c"),
		    "`ctr tag` takes 2 arguments, and \"c\" is one too many; see `ctr tag --help`"));
	CHECK(streq(refused(&help, "help a b"),
		    "`ctr help` takes at most 1 argument, and \"b\" is one too many; see `ctr help --help`"));
}

TEST("a refused command line leaves nothing to free")
{
	/* LeakSanitizer checks this one. */
	CHECK(strstr(refused(&run, "run -e A -e B --bogus x"), "--bogus"));
}

TEST("very long words do not break a message")
{
	char text[500];

	snprintf(text, sizeof(text), "run --%0400d x", 1);
	CHECK(strstr(refused(&run, text), "see `ctr run --help`"));
	snprintf(text, sizeof(text), "run --memory=%0400d! x", 1);
	CHECK(strstr(refused(&run, text), "--memory takes a size"));
}

/* --- finding the verb --------------------------------------------------------------------------------- */

static const char *find(const char *text, int *r)
{
	static struct line l;
	const struct verb *verb;

	split(&l, text);
	*r = opt_find_verb(verbs, ARRAY_SIZE(verbs), &l.argc, &l.argv, &verb);
	return *r == 0 ? verb->name : *r < 0 ? error_text() : "help";
}

TEST("a verb has one word or two")
{
	struct line l;
	const struct verb *verb;
	int r;

	CHECK(streq(find("run x", &r), "run"));
	CHECK(streq(find("network create lan", &r), "network create"));
	split(&l, "network rm lan");
	CHECK(opt_find_verb(verbs, ARRAY_SIZE(verbs), &l.argc, &l.argv, &verb) == 0 && verb == &network_rm);
	CHECK(l.argc == 2 && streq(l.argv[0], "rm"));
	CHECK(streq(find("monitor", &r), "monitor"));
}

TEST("an unknown verb names its neighbour")
{
	int r;

	CHECK(streq(find("rnu x", &r), "unknown command `ctr rnu` (did you mean `ctr run`?); see `ctr --help`"));
	CHECK(streq(find("imagse", &r), "unknown command `ctr imagse` (did you mean `ctr images`?); see `ctr --help`"));
	CHECK(streq(find("frobnicate", &r), "unknown command `ctr frobnicate`; see `ctr --help`"));
	CHECK(streq(find("netwrok ls", &r),
		    "unknown command `ctr netwrok` (did you mean `ctr network`?); see `ctr --help`"));
	CHECK(streq(find("network crate lan", &r),
		    "unknown command `ctr network crate` (did you mean `ctr network create`?); "
		    "see `ctr network --help`"));
	CHECK(streq(find("network", &r), "`ctr network` needs a command: create, ls, rm; see `ctr network --help`"));
	CHECK(streq(find("", &r), "a command is missing; see `ctr --help`"));
	CHECK(streq(opt_nearest_verb(verbs, ARRAY_SIZE(verbs), "exce"), "exec"));
	CHECK(!opt_nearest_verb(verbs, ARRAY_SIZE(verbs), "monitr"));
}

TEST("options of the program stand before the verb")
{
	struct globals g;
	struct line l;

	split(&l, "ctr --root /x -D run -D --rm x");
	CHECK(opt_parse_globals(globals_table, &g, sizeof(g), &l.argc, &l.argv) == 0);
	CHECK(streq(g.root, "/x") && g.debug && l.argc == 4 && streq(l.argv[0], "run") && streq(l.argv[1], "-D"));
	split(&l, "ctr --rooot /x run");
	CHECK(opt_parse_globals(globals_table, &g, sizeof(g), &l.argc, &l.argv) == -EINVAL);
	CHECK(streq(error_text(), "unknown option --rooot for `ctr` (did you mean --root?); see `ctr --help`"));
	split(&l, "ctr -h");
	CHECK(opt_parse_globals(globals_table, &g, sizeof(g), &l.argc, &l.argv) == 1);
	split(&l, "ctr");
	CHECK(opt_parse_globals(globals_table, &g, sizeof(g), &l.argc, &l.argv) == 0 && l.argc == 0 && !l.argv[0]);
}

/* --- help --------------------------------------------------------------------------------------------- */

static void ask_run_help(void)
{
	struct line l;

	if (parse(&l, &run, "run -d --help x") != 1)
		printf("not help\n");
}

static void ask_rm_help(void)
{
	struct line l;

	if (parse(&l, &rm, "rm -h") != 1)
		printf("not help\n");
}

static void ask_group_help(void)
{
	int r;

	if (!streq(find("network --help", &r), "help"))
		printf("not help\n");
}

static void print_overview(void)
{
	opt_print_overview(verbs, ARRAY_SIZE(verbs), globals_table);
}

TEST("help has the usage, the groups of options and the examples, within 80 columns and without colour")
{
	_cleanup_(freep) char *text = printed(ask_run_help);

	CHECK(after_prefix(text, "Usage: ctr run [OPTIONS] IMAGE [COMMAND [ARG...]]\n\nRun a command"));
	CHECK(strstr(text, "\nOptions:\n  -d, --detach "));
	CHECK(strstr(text, "\nResources:\n  -c, --cpu-shares N "));
	CHECK(strstr(text, "\n  -h, --hostname HOST ") && strstr(text, "\n      --help "));
	CHECK(!strstr(text, "--label") && !strstr(text, "-h, --help"));
	CHECK(strstr(text, "\nExamples:\n  $ ctr run -it busybox sh\n"));
	CHECK(widest_line(text) <= 80 && !strchr(text, '\033'));
}

TEST("-h is help where the table does not use it")
{
	_cleanup_(freep) char *text = printed(ask_rm_help);

	CHECK(strstr(text, "  -f, --force  Stop it first\n"));
	CHECK(strstr(text, "  -h, --help "));
}

TEST("-h with a value is not help in run")
{
	struct line l;

	CHECK(parse(&l, &run, "run -h web x") == 0 && streq(l.run.hostname, "web"));
}

TEST("the overview lists the verbs under their headings and hides internal ones")
{
	_cleanup_(freep) char *text = printed(print_overview);

	CHECK(after_prefix(text, "Usage: ctr [OPTIONS] COMMAND [ARG...]\n"));
	CHECK(strstr(text, "\nContainers:\n  run ") && strstr(text, "\nNetworks:\n  network create "));
	CHECK(strstr(text, "\nContainers:\n") < strstr(text, "\nImages:\n"));
	CHECK(strstr(text, "\nCommands:\n  help "));
	CHECK(!strstr(text, "monitor") && strstr(text, "--root DIR"));
	CHECK(strstr(text, "Run `ctr COMMAND --help` for "));
}

TEST("help about a group lists its verbs")
{
	_cleanup_(freep) char *text = printed(ask_group_help);

	CHECK(after_prefix(text, "Usage: ctr network COMMAND [ARG...]\n\nCommands:\n  network create "));
	CHECK(strstr(text, "network rm ") && !strstr(text, "images"));
}

/* --- manual and completion ---------------------------------------------------------------------------- */

static void print_man(void)
{
	opt_print_man(verbs, ARRAY_SIZE(verbs), globals_table);
}

static const char *shell;
static void print_completion(void)
{
	opt_print_completion(verbs, ARRAY_SIZE(verbs), globals_table, shell);
}

TEST("the manual page escapes what roff would take for its own")
{
	_cleanup_(freep) char *text = printed(print_man);

	CHECK(after_prefix(text, ".TH CTR 1 "));
	CHECK(strstr(text, "\n\\fB\\-e\\fR, \\fB\\-\\-env\\fR \\fIKEY[=VALUE]\\fR\nSet a variable"));
	CHECK(strstr(text, "\n.SS run\n") && strstr(text, "\n.SS network create\n") && !strstr(text, "monitor"));
	CHECK(strstr(text, "See \\fBctr ps\\fR for what runs."));
	CHECK(strstr(text, "\n.EX\n$ ctr run \\-it busybox sh\n"));
}

/* What bash offers when it has split the line into WORDS; a word that starts with '_' had a space before
 * it. The program is a function that knows two containers, one of an evil name, and two images. */
static const char *completions(const char *words)
{
	static const char harness[] = "ctr() { case $1 in ps) printf \"%%s\\n\" web db \"\\$(id)\" ;;"
				      " images) printf \"%%s\\n\" busybox:latest busybox:1.36 ;; esac; }\n"
				      "source /dev/fd/%d; COMP_LINE=; COMP_WORDS=()\n"
				      "for w in %s; do\n"
				      "  case $w in _*) w=${w#_}; COMP_LINE+=\" \" ;; esac\n"
				      "  COMP_LINE+=$w; COMP_WORDS+=(\"$w\")\n"
				      "done\n"
				      "COMP_POINT=${#COMP_LINE}; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
				      "_ctr; printf %%s \"${COMPREPLY[*]}\"\n";
	static char answer[1024];
	int fd = memfd_create("script", 0);
	size_t n = 0;

	shell = "bash";
	_cleanup_(freep) char *script = printed(print_completion);
	write_all(fd, script, strlen(script));
	_cleanup_(freep) char *text = xasprintf(harness, fd, words);
	_cleanup_(freep) char *command = xasprintf("timeout 10 bash --norc -c '%s'", text);
	lseek(fd, 0, SEEK_SET);
	FILE *p = popen(command, "r");
	if (p) {
		n = fread(answer, 1, sizeof(answer) - 1, p);
		pclose(p);
	}
	answer[n] = '\0';
	close(fd);
	return answer;
}

TEST("bash completes verbs, options, values, containers and images")
{
	CHECK(streq(completions("ctr _r"), "run rm"));
	CHECK(streq(completions("ctr _network _"), "create ls rm"));
	CHECK(streq(completions("ctr _network _ls _--f"), "--format"));
	CHECK(streq(completions("ctr _rm _"), "web db"));
	CHECK(streq(completions("ctr _rm _web _-f _d"), "db"));
	CHECK(streq(completions("ctr _--root _/x _-D _rm _w"), "web"));
	CHECK(streq(completions("ctr _run _--pu"), "--pull"));
	CHECK(streq(completions("ctr _run _--pull _"), "always missing never"));
	CHECK(streq(completions("ctr _run _--pull = m"), "missing"));
	CHECK(streq(completions("ctr _run _-dc _5 _bu"), "busybox:latest busybox:1.36"));
	CHECK(streq(completions("ctr _run _busybox : l"), "latest"));
	CHECK(streq(completions("ctr _run _busybox :"), "latest 1.36"));
	CHECK(streq(completions("ctr _run _busybox _"), ""));
	CHECK(streq(completions("ctr _run _-e _A = B _bus"), "busybox:latest busybox:1.36"));
	CHECK(streq(completions("ctr _exec _web _s"), ""));
	CHECK(streq(completions("ctr _help _ima"), "images"));
	CHECK(strstr(completions("ctr _load _/proc/self/stat"), "/proc/self/statm"));
	CHECK(strstr(completions("ctr _--root _/proc/sy"), "/proc/sys"));
}

TEST("every shell has a script, and others are refused")
{
	static const char *const shells[] = {"bash", "zsh", "fish"};

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		shell = shells[i];
		_cleanup_(freep) char *text = printed(print_completion);

		CHECK(strstr(text, "cpu-shares") && strstr(text, "ps -a --format") && !strstr(text, "monitor"));
		CHECK(!strchr(text, '@') || !strstr(text, "@F@"));
	}
	CHECK(opt_print_completion(verbs, ARRAY_SIZE(verbs), globals_table, "csh") == -EINVAL);
	CHECK(streq(error_text(), "completion is there for bash, zsh and fish, not for \"csh\""));
}

TEST("a full disk is an error at the end")
{
	int keep = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	print_overview();
	int r = out_flush();
	dup2(keep, STDOUT_FILENO);
	close(full);
	close(keep);
	CHECK(r == -ENOSPC && streq(error_text(), "cannot write to the standard output: No space left on device"));
}

UNIT_MAIN
