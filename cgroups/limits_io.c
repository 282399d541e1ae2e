/* Limits of block devices' input and output. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/str.h"
#include "cgroups/private.h"

/*
 * Two mechanisms share out a device: io.cost by io.weight, and the bfq scheduler by io.bfq.weight, in a scale
 * of its own (1..1000). Which of them is at work is the device's configuration, which may change any time:
 * both are told. TARGET is "default" or a device; at least one has to take it.
 */
static int write_weights(const struct cgroup *cg, const char *target, uint64_t weight, uint64_t bfq_weight)
{
	const struct {
		const char *file;
		uint64_t weight;
	} of[] = {{"io.weight", weight}, {"io.bfq.weight", bfq_weight}};
	char text[64];
	int taken = 0;

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		snprintf(text, sizeof(text), "%s %" PRIu64, target, of[i].weight);
		int r = limit_try_write(cg, of[i].file, text);
		/* -EOPNOTSUPP: the mechanism is off for this device. */
		if (r < 0 && r != -ENOENT && r != -EOPNOTSUPP)
			return r;
		taken += r == 0;
		if (r < 0)
			debug("%s is not available for %s", of[i].file, target);
	}
	if (!taken)
		return refuse(
			-EOPNOTSUPP,
			"io weight (%s): neither io.cost nor the bfq scheduler is on; switch one on (io.cost.qos, or "
			"queue/scheduler in sysfs) or drop the weight",
			target);
	return 0;
}

/* A rate of 0 lifts the limit, as with v1; no rate means nothing. */
static void add_rate(struct strbuf *line, const char *key, int64_t rate)
{
	if (rate == LIMIT_UNSET)
		return;
	if (rate == LIMIT_MAX || rate == 0)
		strbuf_printf(line, " %s=max", key);
	else
		strbuf_printf(line, " %s=%" PRId64, key, rate);
}

static int write_rates(const struct cgroup *cg, const struct io_limit *io)
{
	const struct {
		const char *key;
		int64_t rate;
	} of[] = {{"rbps", io->rbps}, {"wbps", io->wbps}, {"riops", io->riops}, {"wiops", io->wiops}};
	_cleanup_(strbuf_free) struct strbuf line = {0};

	strbuf_printf(&line, "%u:%u", io->major, io->minor);
	size_t device = line.len;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		if (of[i].rate < -1 && of[i].rate != LIMIT_UNSET)
			return refuse(-EINVAL, "io limit of device %u:%u: %s=%" PRId64 " is negative", io->major,
				      io->minor, of[i].key, of[i].rate);
		add_rate(&line, of[i].key, of[i].rate);
	}
	if (line.len == device)
		return 0;
	int r = limit_write(cg, "io.max", strbuf_str(&line));
	if (r == -ENODEV)
		return refuse(r, "io limit: there is no whole disk %u:%u (partitions cannot be limited)", io->major,
			      io->minor);
	return r;
}

static int apply_device(const struct cgroup *cg, const struct io_limit *io)
{
	char device[24];
	int r = write_rates(cg, io);

	if (r < 0 || io->weight == LIMIT_UNSET)
		return r;
	if (io->weight < 1 || io->weight > 10000)
		return refuse(-EINVAL, "io weight of device %u:%u: %" PRId64 " is not between 1 and 10000", io->major,
			      io->minor, io->weight);
	snprintf(device, sizeof(device), "%u:%u", io->major, io->minor);
	return write_weights(cg, device, (uint64_t)io->weight, blkio_weight_from_io(io->weight));
}

int limits_apply_io(const struct cgroup *cg, const struct cgroup_limits *l)
{
	int r = 0;

	if (l->io_weight != LIMIT_UNSET)
		r = write_weights(cg, "default", io_weight_from_blkio(l->io_weight), (uint64_t)l->io_weight);
	for (size_t i = 0; r == 0 && i < l->n_io; i++)
		r = apply_device(cg, &l->io[i]);
	return r;
}
