/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Holding off preemption while a scratch slot is claimed. Otherwise a handful of threads of one CPU, each preempted with a slot in hand, take
 * them all, and calls that find none decide without seeing what they should (measured: 3308 of 90000 on 7.x with six threads).
 *
 * Kernels have the function since 6.10, but forbid subprogram calls under it until 6.15; there is no telling except by what came soon after.
 * Elsewhere, slots of other CPUs help out (scratch.h).
 */
#ifndef PALISADE_PREEMPT_H
#define PALISADE_PREEMPT_H

#include "maps.h"

#ifdef PAL_OLD
INLINE void pal_preempt_off(void)
{
}

INLINE void pal_preempt_on(void)
{
}
#else
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;
extern int bpf_strnstr(const char *s1, const char *s2, __u64 len) __ksym __weak; /* 6.17 */

#define PAL_CAN_HOLD_PREEMPTION (bpf_preempt_disable && bpf_preempt_enable && bpf_strnstr)

INLINE void pal_preempt_off(void)
{
	if (PAL_CAN_HOLD_PREEMPTION)
		bpf_preempt_disable();
}

INLINE void pal_preempt_on(void)
{
	if (PAL_CAN_HOLD_PREEMPTION)
		bpf_preempt_enable();
}
#endif

#endif
