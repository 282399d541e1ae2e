/* From cgroup v1's units, which the OCI spec kept, to those of v2. */
#include "base/error.h"
#include "base/str.h"
#include "cgroups/private.h"

#define SHARES_MIN 2
#define SHARES_MAX 262144

/* The logarithm to base 2, and the exponential function: there is no other mathematics in ctr, so that it
 * does not link the mathematics library. Each is good to more digits than a weight has. */
static double log2_of(double x)
{
	double log = 0, digit = 1;

	while (x >= 2) {
		x /= 2;
		log++;
	}
	/* Squaring doubles the logarithm: what passes 2 then is the next binary digit. */
	for (int i = 0; i < 44; i++) {
		digit /= 2;
		x *= x;
		if (x >= 2) {
			x /= 2;
			log += digit;
		}
	}
	return log;
}

static double exp_of(double x)
{
	double sum = 1, term = 1;

	for (int n = 1; n < 64; n++) {
		term *= x / n;
		sum += term;
	}
	return sum;
}

/*
 * The curve of runc 1.3.2 and crun 1.23 and later: 10^((L^2 + 125 L - 126) / 612), L = log2(shares),
 * rounded up. It maps the ends of the ranges and the defaults onto each other: 2 to 1, 1024 to 100, 262144
 * to 10000. The straight line of older runtimes made the default of 1024 a weight of 39, so that a
 * container with v1's default lost against every cgroup with v2's (kubernetes issue 131216).
 */
uint64_t cpu_weight_from_shares(int64_t shares)
{
	if (shares <= SHARES_MIN)
		return 1;
	if (shares >= SHARES_MAX)
		return 10000;
	double l = log2_of((double)shares);
	double weight = exp_of((l * l + 125 * l - 126) / 612 * 2.302585092994045684);
	/* Rounded up, but not for an error in the last digits. */
	return (uint64_t)(weight + 1 - 1e-7);
}

uint64_t io_weight_from_blkio(int64_t weight)
{
	return 1 + (uint64_t)(weight - 10) * 9999 / 990;
}

uint64_t blkio_weight_from_io(int64_t weight)
{
	return 10 + (uint64_t)(weight - 1) * 990 / 9999;
}

int swap_from_total(int64_t total, int64_t memory, int64_t *swap)
{
	*swap = LIMIT_UNSET;
	/* As with v1, where no memory limit meant none for both, and as runc keeps it. */
	if (memory == LIMIT_MAX && total == LIMIT_UNSET)
		*swap = LIMIT_MAX;
	if (total == LIMIT_UNSET || total == LIMIT_MAX) {
		*swap = total == LIMIT_MAX ? LIMIT_MAX : *swap;
		return 0;
	}
	if (memory == LIMIT_UNSET || memory == LIMIT_MAX)
		return refuse(-EINVAL, "a limit of memory and swap together needs a memory limit beside it");
	if (total < memory)
		return refuse(
			-EINVAL,
			"the limit of memory and swap together (%lld) is below the memory limit (%lld); it includes "
			"the memory",
			(long long)total, (long long)memory);
	*swap = total - memory;
	return 0;
}
