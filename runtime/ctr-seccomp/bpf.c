#include "runtime/ctr-seccomp/bpf.h"

#include <errno.h>

#include "base/error.h"
#include "base/mem.h"

/* A conditional jump's distance is a byte; the margin is for the stepping stone of its other arm. */
#define REACH 250

static bpf_label emit(struct bpf *b, unsigned int code, uint32_t k, unsigned int jt, unsigned int jf)
{
	if (b->n == BPF_MAXINSNS) {
		b->full = true;
		return b->n - 1;
	}
	b->code[b->n] = (struct sock_filter){.code = (uint16_t)code, .jt = (uint8_t)jt, .jf = (uint8_t)jf, .k = k};
	return b->n++;
}

/* How many instructions lie between the next one emitted and TARGET. */
static unsigned int distance(const struct bpf *b, bpf_label target)
{
	return b->n - target - 1;
}

static bpf_label near(struct bpf *b, bpf_label target)
{
	return distance(b, target) <= REACH ? target : emit(b, BPF_JMP | BPF_JA, distance(b, target), 0, 0);
}

/* Makes the instruction emitted next continue at TARGET. */
static void continue_at(struct bpf *b, bpf_label target)
{
	if (distance(b, target))
		emit(b, BPF_JMP | BPF_JA, distance(b, target), 0, 0);
}

bpf_label bpf_ret(struct bpf *b, uint32_t action)
{
	unsigned int i = 0;

	while (i < b->n_rets && b->rets[i].action != action)
		i++;
	/* A second copy costs no more than a stepping stone would. */
	if (i < b->n_rets && distance(b, b->rets[i].at) <= REACH - 10)
		return b->rets[i].at;
	bpf_label at = emit(b, BPF_RET | BPF_K, action, 0, 0);
	if (i < BPF_RETS) {
		b->rets[i].action = action;
		b->rets[i].at = at;
		if (i == b->n_rets)
			b->n_rets++;
	}
	return at;
}

bpf_label bpf_branch(struct bpf *b, unsigned int op, uint32_t k, bpf_label yes, bpf_label no)
{
	yes = near(b, yes);
	no = near(b, no);
	return emit(b, BPF_JMP | op | BPF_K, k, distance(b, yes), distance(b, no));
}

bpf_label bpf_load(struct bpf *b, uint32_t offset, bpf_label target)
{
	continue_at(b, target);
	return emit(b, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

bpf_label bpf_and(struct bpf *b, uint32_t k, bpf_label target)
{
	continue_at(b, target);
	return emit(b, BPF_ALU | BPF_AND | BPF_K, k, 0, 0);
}

int bpf_finish(const struct bpf *b, struct sock_filter **code, unsigned short *len)
{
	if (b->full)
		return refuse(-E2BIG, "makes a filter of more than the %d instructions that the kernel takes",
			      BPF_MAXINSNS);
	*code = xcalloc(b->n, sizeof(**code));
	for (unsigned int i = 0; i < b->n; i++)
		(*code)[i] = b->code[b->n - 1 - i];
	*len = (unsigned short)b->n;
	return 0;
}
