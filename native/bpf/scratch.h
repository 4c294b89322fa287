/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Working memory of one hook call. Per-CPU memory is not enough: since programs may be preempted, two calls can be under way on one CPU.
 * So each CPU has four slots; a call claims one by compare-and-swap and gives it back at its end.
 *
 * Old kernels have no compare-and-swap, but run these programs without preemption there; only interrupts nest, in the order of a stack.
 * A level, kept in the CPU's first slot, is enough.
 */
#ifndef PALISADE_SCRATCH_H
#define PALISADE_SCRATCH_H

#include "preempt.h"

#define PAL_SCRATCH_PER_CPU 4
#define PAL_SCRATCH_SPARE 16 /* slots of other CPUs to try */

/* Arguments begin here in rec: room for a head and 16 matches before, and for suffix words read backwards. */
#define PAL_ARGS_AT 240
#define PAL_MATCHES_PER_RECORD 16
#define PAL_WALK_END 4095

/* A walk from a dentry up to the root. In memory and not in registers, so that the verifier sees all steps alike. */
struct pal_walk {
	u64 dentry, vfsmount, mount, mount_root;
	u64 root_dentry, root_vfsmount;
	u64 off;	/* the path so far is walk_buf[off..PAL_WALK_END) */
	s64 done;	/* enum pal_walk_end */
};

struct pal_scratch {
	u32 busy;	/* 1: claimed; old flavour: the level, in a CPU's first slot */
	u32 index;	/* of this slot */
	u32 off;	/* end of the arguments in rec */
	u32 done, unk, cut; /* a bit per slot: extracted, its value is unknown, only its beginning is known */
	u32 nargs, nmatch, cap, faulted;
	s32 err;
	u32 sig, flags;
	u32 cls, cgflags, late;
	u64 pod, cgid;
	u64 words[6], bprm, ctx; /* the call's arguments, as numbers */
	u64 regs[8];		 /* of a system call's entry: r10 r9 r8 ax cx dx si di */
	u64 value, is_known, hit[PAL_WORDS];
	u64 cand[PAL_WORDS], known[PAL_WORDS], denies[PAL_WORDS], spared[PAL_WORDS];
	u32 dat[PAL_SLOTS], len[PAL_SLOTS]; /* where a slot's bytes are in rec */
	struct pal_walk walk;
	struct pal_str_key key;
	u32 pad;
	struct pal_match match[PAL_SELECTORS]; /* matches that ask for an event */
	u32 counter[PAL_SELECTORS];	       /* their indexes into cnt */
	u64 head[sizeof(struct pal_hookev) / 8];
	struct pal_proc proc;
	u8 walk_buf[4096 + 256];
	u8 rec[PAL_RECORD_MAX + 8192 + 512];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PAL_SCRATCH_PER_CPU);
	__type(key, u32);
	__type(value, struct pal_scratch);
} scratch SEC(".maps");

INLINE struct pal_scratch *pal_scratch_at(u32 index)
{
	return bpf_map_lookup_elem(&scratch, &index);
}

#ifdef PAL_OLD
INLINE struct pal_scratch *pal_scratch_open(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);

	if (s)
		s->index = index;
	return s;
}

INLINE struct pal_scratch *pal_scratch_claim(u32 *index)
{
	u32 first = bpf_get_smp_processor_id() * PAL_SCRATCH_PER_CPU;
	struct pal_scratch *base = pal_scratch_at(first);
	u32 level;

	level = base ? *(volatile u32 *)&base->busy : PAL_SCRATCH_PER_CPU;
	if (!base || level >= PAL_SCRATCH_PER_CPU) {
		pal_health_count(PAL_H_NO_SCRATCH);
		return NULL;
	}
	*(volatile u32 *)&base->busy = level + 1;
	*index = first + level;
	return pal_scratch_open(*index);
}

INLINE void pal_scratch_release(u32 index)
{
	struct pal_scratch *base = pal_scratch_at(index & ~(u32)(PAL_SCRATCH_PER_CPU - 1));

	if (base)
		*(volatile u32 *)&base->busy = index & (PAL_SCRATCH_PER_CPU - 1);
}
#else
INLINE struct pal_scratch *pal_scratch_try(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);

	if (!s || __sync_val_compare_and_swap(&s->busy, 0, 1) != 0)
		return NULL;
	s->index = index;
	return s;
}

/* The CPU's own slots first; then those of the first CPUs, rather than none. */
INLINE struct pal_scratch *pal_scratch_claim(u32 *index)
{
	u32 first = bpf_get_smp_processor_id() * PAL_SCRATCH_PER_CPU;

	pal_preempt_off();
	ROLLED for (u32 i = 0; i < PAL_SCRATCH_PER_CPU + PAL_SCRATCH_SPARE; i++) {
		u32 at = i < PAL_SCRATCH_PER_CPU ? first + i : i - PAL_SCRATCH_PER_CPU;
		struct pal_scratch *s = pal_scratch_try(at);

		if (s) {
			*index = *(volatile u32 *)&s->index; /* from memory: one state for the verifier, not one per slot */
			return s;
		}
	}
	pal_preempt_on();
	pal_health_count(PAL_H_NO_SCRATCH);
	return NULL;
}

INLINE void pal_scratch_release(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);

	if (s)
		__sync_lock_test_and_set(&s->busy, 0);
	pal_preempt_on();
}
#endif

#endif
