/* Signal names, as kill(1) and image configs write them. */
#include <errno.h>
#include <signal.h>
#include <strings.h>

#include "base/error.h"
#include "base/str.h"
#include "cli/cli.h"

/* Numbers are Linux's for x86 and arm. */
static const char *const names[] = {
	NULL,   "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
	"SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
	"TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};

/* glibc and musl keep 32 and 33 (and musl 34) for themselves; the kernel's name starts at 34 for both. */
#define RTMIN 34
#define RTMAX 64

int signal_by_name(const char *name)
{
	const char *word = strncasecmp(name, "SIG", 3) == 0 ? name + 3 : name;
	uint64_t n;

	if (parse_u64(name, RTMAX, &n) == 0 && n > 0)
		return (int)n;
	for (int i = 1; i < (int)ARRAY_SIZE(names); i++)
		if (strcasecmp(word, names[i]) == 0)
			return i;
	if (strncasecmp(word, "RTMIN", 5) == 0) {
		if (!word[5])
			return RTMIN;
		if (word[5] == '+' && parse_u64(word + 6, RTMAX - RTMIN, &n) == 0)
			return RTMIN + (int)n;
	}
	if (strncasecmp(word, "RTMAX", 5) == 0) {
		if (!word[5])
			return RTMAX;
		if (word[5] == '-' && parse_u64(word + 6, RTMAX - RTMIN, &n) == 0)
			return RTMAX - (int)n;
	}
	return refuse(-EINVAL, "unknown signal \"%.40s\" (a name like TERM, or 1 to 64)", name);
}
