/* bench: times commands against each other.
 *
 *     bench [--runs N] [--warmup N] [--pause MS] [--ratio-to ROW]... [--no-strace] [--json FILE]
 *           ::: ROW COMMAND [ARG...] [::: ROW COMMAND [ARG...]]...
 *
 * The rows are interleaved: every round runs each row once, in an order shuffled from a fixed seed,
 * because machines drift, and because the kernel takes namespaces down after a container's exit, in
 * time that would otherwise always be charged to the same neighbour.
 *
 * wall   from before the spawn to the command's exit, as seen by a parent that waits
 * gone   from before the spawn until the last process that the command left behind is gone too
 * cpu    user + system time of the command and the children it waited for
 * rss    peak of the largest single process among those. The kernel hands the spawning process's own
 *        size down, so the driver is static and small, and says its size.
 * calls  system calls of the whole process tree, counted by one strace run that is not timed
 *
 * A row is timed only while it succeeds: one failure drops it, with the first line of its stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_ROWS = 32,
	MAX_BASELINES = 8,
	RUN_LIMIT_S = 120,     /* a run longer than this is ended and has failed */
	LEFTOVER_LIMIT_S = 10, /* as is one that leaves processes behind for longer than this */
};

struct row {
	const char *name;
	char **argv;
	char program[1024];        /* argv[0] found in PATH beforehand, so that the search is not timed */
	double *wall, *gone, *cpu; /* milliseconds, one per timed run */
	int runs;
	long rss_kib;
	long syscalls; /* -1: not counted */
	char failure[256];
};

struct sample {
	double wall, gone, cpu;
	long rss_kib;
	int status; /* as wait4 gives it */
	bool leftovers;
};

static struct {
	struct row rows[MAX_ROWS];
	int row_count;
	const char *baselines[MAX_BASELINES];
	int baseline_count;
	int runs, warmup, pause_ms;
	bool count_syscalls;
	const char *json;
} bench = {.runs = 100, .warmup = 10, .count_syscalls = true};

extern char **environ;

static int null_fd;
static volatile pid_t running_pid; /* what the alarm ends; 0: it only interrupts the wait */

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- one run ------------------------------------------------------------------------------------ */

static void on_alarm(int sig)
{
	(void)sig;
	if (running_pid > 0)
		kill(running_pid, SIGKILL);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double timeval_ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

/* posix_spawn shares the driver's memory until the exec: its size costs the row nothing. */
static pid_t spawn(const char *program, char **argv, int stderr_fd)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, null_fd, 0);
	posix_spawn_file_actions_adddup2(&actions, null_fd, 1);
	posix_spawn_file_actions_adddup2(&actions, stderr_fd, 2);
	int error = posix_spawn(&pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error) {
		dprintf(stderr_fd, "cannot execute %s: %s\n", program, strerror(error));
		return -1;
	}
	return pid;
}

static void wait_for(pid_t pid, struct sample *sample, struct rusage *usage)
{
	for (;;) {
		pid_t ended = wait4(-1, &sample->status, 0, usage);
		if (ended == pid)
			return;
		if (ended < 0 && errno != EINTR)
			die("wait");
	}
}

/* Processes that outlive the command are handed to the driver, which is a subreaper. */
static bool reap_leftovers(void)
{
	running_pid = 0;
	alarm(LEFTOVER_LIMIT_S);
	while (wait4(-1, NULL, 0, NULL) > 0)
		;
	bool left = errno == EINTR;
	alarm(0);
	return left;
}

/* Runs a command once; false if it did not succeed. */
static bool run_once(const char *program, char **argv, int stderr_fd, struct sample *sample)
{
	struct rusage usage = {0};

	*sample = (struct sample){.status = 127 << 8};
	double start = now_ms();
	pid_t pid = spawn(program, argv, stderr_fd);
	if (pid < 0)
		return false;
	running_pid = pid;
	alarm(RUN_LIMIT_S);
	wait_for(pid, sample, &usage);
	sample->wall = now_ms() - start;
	sample->leftovers = reap_leftovers();
	sample->gone = now_ms() - start;
	sample->cpu = timeval_ms(usage.ru_utime) + timeval_ms(usage.ru_stime);
	sample->rss_kib = usage.ru_maxrss;
	return sample->status == 0 && !sample->leftovers;
}

static int scratch_fd(void)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);

	if (fd < 0)
		die("memfd_create");
	return fd;
}

/* Says why a row failed: how it ended, and the first line that it wrote to stderr. */
static void describe_failure(struct row *row, const struct sample *sample, int stderr_fd)
{
	char text[200];
	ssize_t n = pread(stderr_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (sample->leftovers)
		snprintf(row->failure, sizeof(row->failure), "left processes behind");
	else if (WIFSIGNALED(sample->status))
		snprintf(row->failure, sizeof(row->failure), "signal %d: %s", WTERMSIG(sample->status), text);
	else
		snprintf(row->failure, sizeof(row->failure), "exit status %d: %s", WEXITSTATUS(sample->status), text);
}

/* Runs a row with its stderr kept; marks the row as failed if it does not succeed. */
static bool try_row(struct row *row)
{
	struct sample sample;
	int fd = scratch_fd();
	bool ok = run_once(row->program, row->argv, fd, &sample);

	if (!ok)
		describe_failure(row, &sample, fd);
	close(fd);
	return ok;
}

static void time_row(struct row *row, bool keep)
{
	struct sample sample;

	if (!run_once(row->program, row->argv, null_fd, &sample)) {
		/* Its stderr went to /dev/null: once more, to hear why. */
		if (try_row(row))
			snprintf(row->failure, sizeof(row->failure), "wait status 0x%x in run %d, not in the next",
				 (unsigned int)sample.status, row->runs + 1);
		return;
	}
	if (!keep)
		return;
	row->wall[row->runs] = sample.wall;
	row->gone[row->runs] = sample.gone;
	row->cpu[row->runs] = sample.cpu;
	row->runs++;
	if (sample.rss_kib > row->rss_kib)
		row->rss_kib = sample.rss_kib;
}

/* --- all runs ----------------------------------------------------------------------------------- */

static unsigned int next_random(void)
{
	static unsigned int state = 2463534242U; /* Marsaglia's xorshift32 and its seed */

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static void shuffle(int *order, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int j = (int)(next_random() % (unsigned int)(i + 1));
		int swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
}

static void run_rounds(int rounds, bool keep)
{
	const struct timespec pause = {
		.tv_sec = bench.pause_ms / 1000,
		.tv_nsec = bench.pause_ms % 1000 * 1000000L,
	};
	int order[MAX_ROWS];

	for (int i = 0; i < bench.row_count; i++)
		order[i] = i;
	for (int round = 0; round < rounds; round++) {
		shuffle(order, bench.row_count);
		for (int i = 0; i < bench.row_count; i++) {
			struct row *row = &bench.rows[order[i]];
			if (row->failure[0])
				continue;
			time_row(row, keep);
			if (bench.pause_ms > 0)
				nanosleep(&pause, NULL);
		}
	}
}

static bool find_program(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	if (strchr(name, '/'))
		return (size_t)snprintf(path, size, "%s", name) < size && access(path, X_OK) == 0;
	for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += strspn(dirs, ":")) {
		size_t n = strcspn(dirs, ":");
		if ((size_t)snprintf(path, size, "%.*s/%s", (int)n, dirs, name) < size && access(path, X_OK) == 0)
			return true;
		dirs += n;
	}
	return false;
}

/* The summary of `strace -c` ends with a line "100.00 SECONDS USECS/CALL CALLS [ERRORS] total". */
static long parse_strace_total(int fd)
{
	char text[16384];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long calls;

	text[n > 0 ? n : 0] = '\0';
	char *line = strstr(text, "\n100.00 ");
	for (char *next = line; next; next = strstr(next + 1, "\n100.00 "))
		line = next;
	if (line && strstr(line, "total") && sscanf(line, " %*s %*s %*s %ld", &calls) == 1)
		return calls;
	return -1;
}

static long count_syscalls(struct row *row, const char *strace)
{
	char output[64];
	char *argv[256] = {(char *)"strace", (char *)"-f", (char *)"-c", (char *)"-o", output};
	int fd = scratch_fd(), n = 5;
	struct sample sample;

	snprintf(output, sizeof(output), "/proc/%d/fd/%d", (int)getpid(), fd);
	for (char **arg = row->argv; *arg && n < 255; arg++)
		argv[n++] = *arg;
	long calls = run_once(strace, argv, null_fd, &sample) ? parse_strace_total(fd) : -1;
	close(fd);
	return calls;
}

static void count_all_syscalls(void)
{
	char strace[1024];

	for (int i = 0; i < bench.row_count; i++)
		bench.rows[i].syscalls = -1;
	if (!bench.count_syscalls)
		return;
	if (!find_program("strace", strace, sizeof(strace))) {
		fprintf(stderr, "bench: strace is not installed: no system calls counted\n");
		return;
	}
	for (int i = 0; i < bench.row_count; i++)
		if (!bench.rows[i].failure[0])
			bench.rows[i].syscalls = count_syscalls(&bench.rows[i], strace);
}

/* --- results ------------------------------------------------------------------------------------ */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *sorted, int n)
{
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Nearest rank: the smallest value that at least 95 % of the runs do not exceed. */
static double p95(const double *sorted, int n)
{
	return sorted[(n * 95 + 99) / 100 - 1];
}

static void sort_samples(void)
{
	for (int i = 0; i < bench.row_count; i++) {
		struct row *row = &bench.rows[i];
		size_t n = (size_t)row->runs;
		qsort(row->wall, n, sizeof(double), compare_doubles);
		qsort(row->gone, n, sizeof(double), compare_doubles);
		qsort(row->cpu, n, sizeof(double), compare_doubles);
	}
}

/* The ratio of medians to a baseline row; NaN when either has none. */
static double ratio_to(const struct row *row, const char *baseline)
{
	for (int i = 0; i < bench.row_count; i++) {
		const struct row *base = &bench.rows[i];
		if (!strcmp(base->name, baseline) && base->runs > 0 && row->runs > 0)
			return median(row->wall, row->runs) / median(base->wall, base->runs);
	}
	return NAN;
}

static void print_row(const struct row *row, int width)
{
	if (row->failure[0]) {
		printf("%-*s  failed: %s\n", width, row->name, row->failure);
		return;
	}
	printf("%-*s %5d %8.2f %8.2f %8.2f", width, row->name, row->runs, row->wall[0], median(row->wall, row->runs),
	       p95(row->wall, row->runs));
	for (int b = 0; b < bench.baseline_count; b++) {
		double ratio = ratio_to(row, bench.baselines[b]);
		if (isnan(ratio))
			printf(" %9s", "-");
		else
			printf(" %9.2f", ratio);
	}
	printf(" %8.2f %8.2f %8ld", median(row->gone, row->runs), median(row->cpu, row->runs), row->rss_kib);
	if (row->syscalls < 0)
		printf(" %7s\n", "-");
	else
		printf(" %7ld\n", row->syscalls);
}

/* The driver's own peak, which is the least that "rss" can say. Not getrusage: that one would begin
 * with the size of the shell that the driver was executed from. */
static long driver_rss_kib(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmHWM: %ld", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib;
}

static void print_table(void)
{
	int width = 4;

	for (int i = 0; i < bench.row_count; i++)
		if ((int)strlen(bench.rows[i].name) > width)
			width = (int)strlen(bench.rows[i].name);
	printf("%-*s %5s %8s %8s %8s", width, "row", "runs", "min ms", "median", "p95");
	for (int b = 0; b < bench.baseline_count; b++)
		printf(" /%8.8s", bench.baselines[b]);
	printf(" %8s %8s %8s %7s\n", "gone", "cpu", "rss KiB", "calls");
	for (int i = 0; i < bench.row_count; i++)
		print_row(&bench.rows[i], width);
	printf("(driver: %ld KiB)\n", driver_rss_kib());
}

static void json_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			fprintf(f, "\\u%04x", (unsigned int)(unsigned char)*s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

static void json_figures(FILE *f, const struct row *row)
{
	fprintf(f, ",\n   \"min_ms\": %.4f, \"median_ms\": %.4f, \"p95_ms\": %.4f", row->wall[0],
		median(row->wall, row->runs), p95(row->wall, row->runs));
	fprintf(f, ", \"gone_ms\": %.4f, \"cpu_ms\": %.4f, \"rss_kib\": %ld", median(row->gone, row->runs),
		median(row->cpu, row->runs), row->rss_kib);
	if (row->syscalls >= 0)
		fprintf(f, ", \"syscalls\": %ld", row->syscalls);
	fprintf(f, ",\n   \"ratio_to\": {");
	for (int b = 0, n = 0; b < bench.baseline_count; b++) {
		double ratio = ratio_to(row, bench.baselines[b]);
		if (isnan(ratio))
			continue;
		fputs(n++ ? ", " : "", f);
		json_string(f, bench.baselines[b]);
		fprintf(f, ": %.4f", ratio);
	}
	fprintf(f, "},\n   \"sorted_wall_ms\": [");
	for (int i = 0; i < row->runs; i++)
		fprintf(f, "%s%.4f", i ? ", " : "", row->wall[i]);
	fputc(']', f);
}

static void write_json(void)
{
	FILE *f = fopen(bench.json, "we");

	if (!f)
		die(bench.json);
	fprintf(f, "{\"warmup\": %d, \"pause_ms\": %d, \"driver_rss_kib\": %ld, \"rows\": [", bench.warmup,
		bench.pause_ms, driver_rss_kib());
	for (int i = 0; i < bench.row_count; i++) {
		const struct row *row = &bench.rows[i];
		fprintf(f, "%s\n  {\"name\": ", i ? "," : "");
		json_string(f, row->name);
		fprintf(f, ", \"runs\": %d", row->runs);
		if (row->failure[0]) {
			fprintf(f, ", \"failure\": ");
			json_string(f, row->failure);
		} else {
			json_figures(f, row);
		}
		fputc('}', f);
	}
	fprintf(f, "\n]}\n");
	if (fclose(f))
		die(bench.json);
}

/* --- command line ------------------------------------------------------------------------------- */

static void usage(void)
{
	fprintf(stderr, "usage: bench [--runs N] [--warmup N] [--pause MS] [--ratio-to ROW]... [--no-strace]\n"
			"             [--json FILE] ::: ROW COMMAND [ARG...] [::: ROW COMMAND [ARG...]]...\n");
	exit(2);
}

static int number(const char *text, int least)
{
	char *end;
	long n = text ? strtol(text, &end, 10) : -1;

	if (!text || *text == '\0' || *end || n < least || n > 1000000)
		usage();
	return (int)n;
}

/* Returns the index of the first ":::". */
static int parse_options(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && strcmp(argv[i], ":::") != 0; i++) {
		/* argv ends with a null pointer, which number() refuses. */
		if (!strcmp(argv[i], "--runs"))
			bench.runs = number(argv[++i], 1);
		else if (!strcmp(argv[i], "--warmup"))
			bench.warmup = number(argv[++i], 0);
		else if (!strcmp(argv[i], "--pause"))
			bench.pause_ms = number(argv[++i], 0);
		else if (!strcmp(argv[i], "--no-strace"))
			bench.count_syscalls = false;
		else if (!strcmp(argv[i], "--json") && i + 1 < argc)
			bench.json = argv[++i];
		else if (!strcmp(argv[i], "--ratio-to") && i + 1 < argc && bench.baseline_count < MAX_BASELINES)
			bench.baselines[bench.baseline_count++] = argv[++i];
		else
			usage();
	}
	return i;
}

static void parse_rows(int argc, char **argv, int i)
{
	while (i < argc) {
		struct row *row = &bench.rows[bench.row_count++];
		if (i + 2 >= argc || bench.row_count > MAX_ROWS - 1)
			usage();
		row->name = argv[i + 1];
		row->argv = argv + i + 2;
		for (i += 2; i < argc && strcmp(argv[i], ":::") != 0; i++)
			;
		argv[i] = NULL; /* argv[argc] is one already */
		if (!row->argv[0])
			usage();
		row->wall = calloc((size_t)bench.runs * 3, sizeof(double));
		if (!row->wall)
			die("calloc");
		row->gone = row->wall + bench.runs;
		row->cpu = row->gone + bench.runs;
		if (!find_program(row->argv[0], row->program, sizeof(row->program)))
			snprintf(row->failure, sizeof(row->failure), "%.200s: not found, or not executable",
				 row->argv[0]);
	}
	if (bench.row_count == 0)
		usage();
}

int main(int argc, char **argv)
{
	/* No SA_RESTART: the alarm has to interrupt the wait for leftovers. */
	const struct sigaction alarm_action = {.sa_handler = on_alarm};
	int failed = 0;

	parse_rows(argc, argv, parse_options(argc, argv));
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		die("/dev/null");
	if (sigaction(SIGALRM, &alarm_action, NULL) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("prepare");

	for (int i = 0; i < bench.row_count; i++)
		if (!bench.rows[i].failure[0])
			try_row(&bench.rows[i]);
	count_all_syscalls();
	run_rounds(bench.warmup, false);
	run_rounds(bench.runs, true);

	sort_samples();
	print_table();
	if (bench.json)
		write_json();
	for (int i = 0; i < bench.row_count; i++)
		failed += bench.rows[i].failure[0] != '\0';
	return failed ? 1 : 0;
}
