/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What all records have in common: head, task, and the two rings with their sequence numbers.
 *
 * Times are nanoseconds of CLOCK_BOOTTIME.
 */
#ifndef PALISADE_RECORD_H
#define PALISADE_RECORD_H

#include "cgroup.h"
#include "process.h"

/* The next number of a ring on this CPU. A lost record uses one up, so that its reader sees the gap. */
INLINE u64 pal_next_seq(u32 telemetry)
{
	u32 zero = 0;
	struct pal_seq *q = bpf_map_lookup_elem(&seqs, &zero);
	u64 *n;

	if (!q)
		return 0;
	n = telemetry ? &q->tele : &q->crit;
#ifdef PAL_OLD
	return (*n)++;
#else
	return __sync_fetch_and_add(n, 1);
#endif
}

INLINE void pal_hdr_set(struct pal_hdr *h, u32 len, u32 kind, u32 telemetry, u32 generation, u32 hook)
{
	h->len = len;
	h->kind = kind;
	h->flags = telemetry ? PAL_HF_TELEMETRY : 0;
	h->cpu = bpf_get_smp_processor_id();
	h->seq = pal_next_seq(telemetry);
	h->ktime = bpf_ktime_get_boot_ns();
	h->gen = generation;
	h->hook = hook;
}

/* t: typed. p may be NULL: then the task is all that is known. */
INLINE void pal_task_set(struct pal_task *o, struct task_struct *t, const struct pal_proc *p, u64 cgid, u32 cls)
{
	o->key.tgid = TASK_READ(t, tgid);
	o->key.flags = 0;
	o->start = TASK_READ(t, group_leader, start_boottime);
	o->key.exec_ktime = p ? p->key.exec_ktime : o->start;
	o->tid = TASK_READ(t, pid);
	o->nstgid = pal_ns_tgid(t);
	o->cgid = cgid;
	o->uid = TASK_READ(t, cred, uid.val);
	o->cls = cls;
}

INLINE u64 pal_tele_wakeup(void)
{
	u64 held = bpf_ringbuf_query(&tele, BPF_RB_AVAIL_DATA);

	return held > bpf_ringbuf_query(&tele, BPF_RB_RING_SIZE) / 4 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* 0, or not if the ring is full; then the loss is counted here. */
INLINE long pal_send(const void *record, u64 len, u32 telemetry)
{
	long error = telemetry ? bpf_ringbuf_output(&tele, (void *)record, len, pal_tele_wakeup())
			       : bpf_ringbuf_output(&crit, (void *)record, len, 0);

	if (error)
		pal_health_count(telemetry ? PAL_H_TELE_LOST : PAL_H_CRIT_LOST);
	return error;
}

#endif
