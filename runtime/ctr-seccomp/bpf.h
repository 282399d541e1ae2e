/*
 * An assembler for classic BPF (the kernel's Documentation/networking/filter.rst) that goes from the
 * last instruction to the first.
 *
 * A jump in classic BPF only goes forward, a conditional one at most 255 instructions. Going
 * backwards, the target of every jump is already there, its distance is known, and where it is too far
 * a stepping stone is put down on the spot. Code that falls through to code is simply emitted after it.
 */
#pragma once

#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define BPF_RETS 32

/* Zero-initialise. */
struct bpf {
	struct sock_filter code[BPF_MAXINSNS]; /* the last instruction first */
	unsigned int n;
	bool full; /* more was emitted than a filter can hold */
	struct {
		uint32_t action;
		unsigned int at;
	} rets[BPF_RETS];
	unsigned int n_rets;
};

/* A place to jump to: what was emitted last when it was made. All emitters return theirs. */
typedef unsigned int bpf_label;

/* "return ACTION". Gives one emitted before when it is near. */
bpf_label bpf_ret(struct bpf *b, uint32_t action);
/* "if (A OP K) goto YES else goto NO"; OP is BPF_JEQ, BPF_JGT or BPF_JGE. */
bpf_label bpf_branch(struct bpf *b, unsigned int op, uint32_t k, bpf_label yes, bpf_label no);
/* "A = the 32 bits at OFFSET of struct seccomp_data", then TARGET. */
bpf_label bpf_load(struct bpf *b, uint32_t offset, bpf_label target);
/* "A &= K", then TARGET. */
bpf_label bpf_and(struct bpf *b, uint32_t k, bpf_label target);

/* The finished program in its own order, which starts with what was emitted last; the caller frees
 * it. -E2BIG, recorded, when it is longer than the kernel takes. */
int bpf_finish(const struct bpf *b, struct sock_filter **code, unsigned short *len);
