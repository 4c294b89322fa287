/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * fork and exit.
 */
#ifndef PALISADE_LIFECYCLE_H
#define PALISADE_LIFECYCLE_H

#include "exec-record.h"

#define PAL_CLONE_PARENT 0x00008000
#define PAL_CLONE_THREAD 0x00010000

#ifdef PAL_OLD
/* The child's record by its number, which is known once it is about to run. */
INLINE void pal_fork_copy(struct task_struct *child)
{
	u32 index = 0, tgid = BPF_CORE_READ(child, tgid);
	struct pal_proc *p = pal_proc_current(pal_generation());
	struct pal_scratch *s;

	if (!p)
		return;
	s = pal_scratch_claim(&index);
	if (!s)
		return;
	bpf_probe_read_kernel(&s->proc, sizeof(s->proc), p);
	s->proc.parent = s->proc.key;
	s->proc.key.tgid = tgid;
	s->proc.start_boottime = s->proc.key.exec_ktime = BPF_CORE_READ(child, start_boottime);
	s->proc.flags &= ~PAL_PROC_EXEC_PENDING;
	if (bpf_map_update_elem(&procs, &tgid, &s->proc, BPF_ANY))
		pal_health_count(PAL_H_STORAGE_FAILED);
	pal_scratch_release(index);
}
#else
/*
 * The child has neither number nor time yet: its record is a copy without a key, which its first look completes (pal_proc_fix).
 */
INLINE void pal_fork_copy(struct task_struct *child, u64 clone_flags)
{
	struct pal_proc *p, *c;

	if (clone_flags & PAL_CLONE_THREAD)
		return;
	p = pal_proc_current(pal_generation());
	if (!p)
		return;
	c = bpf_task_storage_get(&procs, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!c) {
		pal_health_count(PAL_H_STORAGE_FAILED);
		return;
	}
	bpf_probe_read_kernel(c, sizeof(*c), p);
	if (!(clone_flags & PAL_CLONE_PARENT))
		c->parent = p->key;
	c->key.tgid = 0;
	c->key.exec_ktime = 0;
	c->flags &= ~PAL_PROC_EXEC_PENDING;
}
#endif

/* A new process; threads are not told. */
INLINE void pal_clone_report(struct task_struct *child)
{
	u32 tgid = BPF_CORE_READ(child, tgid);
	struct pal_birth b = {};
	struct pal_clone c = {};
	struct pal_place place;

	if ((u32)BPF_CORE_READ(child, pid) != tgid)
		return;
	b.start = b.exec_ktime = BPF_CORE_READ(child, start_boottime);
	if (bpf_map_update_elem(&procx, &tgid, &b, BPF_ANY))
		pal_health_count(PAL_H_STORAGE_FAILED);
	pal_place_of_number(child, node_cfg.kflags, &place);
	c.t.key.tgid = tgid;
	c.t.key.exec_ktime = c.t.start = b.start;
	c.t.tid = tgid;
	c.t.nstgid = pal_ns_tgid(child);
	c.t.cgid = place.cgid;
	c.t.uid = BPF_CORE_READ(child, cred, uid.val);
	c.t.cls = place.cls;
	pal_key_of(BPF_CORE_READ(child, real_parent), &c.parent);
	pal_hdr_set(&c.h, sizeof(c), PAL_KIND_CLONE, 0, pal_generation(), 0);
	pal_send(&c, sizeof(c), 0);
}

INLINE void pal_exit_report(void)
{
	struct task_struct *t = pal_current();
	struct pal_exit e = {};
	struct pal_place place;
	struct pal_proc *p;
	u32 status;

	/* When a thread that is not the leader execs, the leader exits first: not the end of the process. */
	if (BPF_CORE_READ(t, signal, live.counter))
		return;
	pal_proc_current(pal_generation());
	p = pal_proc_get(t); /* its sets do not matter any more */
	pal_place_of(t, node_cfg.kflags, &place);
	pal_task_set(&e.t, t, p, place.cgid, place.cls);
	if (p)
		e.parent = p->parent;
	status = BPF_CORE_READ(t, signal, group_exit_code);
	if (!status)
		status = BPF_CORE_READ(t, exit_code);
	e.code = (status >> 8) & 0xff;
	e.sig = status & 0x7f;
	e.utime = BPF_CORE_READ(t, signal, utime) + BPF_CORE_READ(t, utime);
	e.stime = BPF_CORE_READ(t, signal, stime) + BPF_CORE_READ(t, stime);
	pal_hdr_set(&e.h, sizeof(e), PAL_KIND_EXIT, 0, pal_generation(), 0);
	pal_send(&e, sizeof(e), 0);
}

INLINE void pal_exit_forget(void)
{
	u32 tgid = pal_tgid();

	if (BPF_CORE_READ(pal_current(), signal, live.counter))
		return;
	bpf_map_delete_elem(&procx, &tgid);
#ifdef PAL_OLD
	bpf_map_delete_elem(&procs, &tgid);
#endif
}

#endif
