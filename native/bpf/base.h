/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the two flavours of the objects differ in, and the few tricks that the verifier needs.
 *
 * new: kernels with bpf_loop, compare-and-swap and task storage. old (PAL_OLD): 5.10.
 */
#ifndef PALISADE_BASE_H
#define PALISADE_BASE_H

#include "types.h"

#define INLINE static __always_inline

/* A global subprogram: the verifier checks it once, with unknown scalar arguments. */
#define GLOBAL __attribute__((noinline))

/* Bounds a 64-bit value so that both clang and the verifier believe it; mask is a literal 2^n - 1. */
#define BOUND(x, mask) asm volatile("%0 &= " #mask : "+r"(x))

/* Runs the body for each word of a selector mask that this hook uses; the number is rodata, so unused words are pruned. */
#define FOR_WORDS(w) _Pragma("unroll") for (u32 w = 0; w < PAL_WORDS; w++) if (w < cfg.words)

/* A loop that clang must not unroll: the verifier walks it, its index is known to it. */
#define ROLLED _Pragma("nounroll")

INLINE struct task_struct *pal_current(void)
{
#ifdef PAL_OLD
	return (struct task_struct *)bpf_get_current_task();
#else
	return bpf_get_current_task_btf();
#endif
}

/* Follows members from a task: plain loads where the pointer is typed, probe reads on old kernels. */
#ifdef PAL_OLD
#define TASK_READ(t, ...) BPF_CORE_READ(t, __VA_ARGS__)
#else
#define TASK_READ(t, ...) ___arrow(t, __VA_ARGS__)
#endif

INLINE u32 pal_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

INLINE long pal_read(void *to, u32 n, u64 from)
{
	return bpf_probe_read_kernel(to, n, (const void *)from);
}

#endif
