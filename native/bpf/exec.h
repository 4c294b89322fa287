/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * exec: a process gets a new image, so a new identity. It is taken in bprm_committed_creds, before the new image's first instruction; the
 * record follows in sched_process_exec, when the argument vector is in place.
 */
#ifndef PALISADE_EXEC_H
#define PALISADE_EXEC_H

#include "exec-record.h"

/* self_exec_id counts the execs of a task, and fork copies it: equal to the record's means that the record is of this image. */
INLINE int pal_exec_identified(const struct pal_proc *p, struct task_struct *t)
{
	return p && p->key.tgid == pal_tgid() && p->exec_seq == (u32)BPF_CORE_READ(t, self_exec_id);
}

#define PAL_ANCESTORS 16

/* Whether t sees the mounts that pid 1 sees: the node's own programs do, a container's do not. */
INLINE int pal_has_host_mounts(struct task_struct *t)
{
	u64 own = (u64)BPF_CORE_READ(t, nsproxy, mnt_ns);
	struct task_struct *up = BPF_CORE_READ(t, real_parent); /* a number from here on: probe reads only */

	ROLLED for (u32 i = 0; i < PAL_ANCESTORS; i++) {
		if (BPF_CORE_READ(up, tgid) == 1)
			return own == (u64)BPF_CORE_READ(up, nsproxy, mnt_ns);
		up = BPF_CORE_READ(up, real_parent);
	}
	return 0;
}

/* The record of the image that bprm has brought. */
INLINE void pal_exec_identify(struct pal_scratch *s, struct task_struct *t, struct linux_binprm *bprm, u32 generation)
{
	struct pal_proc *old = pal_proc_get(t);

	if (pal_exec_identified(old, t))
		return;
	pal_proc_begin(s, t, bpf_ktime_get_boot_ns());
	s->proc.flags = PAL_PROC_EXEC_PENDING | (pal_has_host_mounts(t) ? PAL_PROC_HOST_MOUNTS : 0);
	if (old && old->parent.exec_ktime) /* an exec changes the image, not the parent */
		s->proc.parent = old->parent;
	pal_proc_set_file(s, t, (u64)BPF_CORE_READ(bprm, file));
	pal_proc_renew_sets(s, &s->proc, generation);
	pal_proc_store(s, t);
}

INLINE void pal_exec_id(struct linux_binprm *bprm)
{
	u32 index = 0;
	struct pal_scratch *s = pal_scratch_claim(&index);

	if (!s) {
		pal_proc_disown(pal_current());
		return;
	}
	pal_exec_identify(s, pal_current(), bprm, pal_generation());
	pal_scratch_release(index);
}

/* The image that this exec has replaced: its birth is told under the process's number until ours is. */
INLINE void pal_exec_set_old(struct pal_scratch *s, u32 tgid)
{
	struct pal_birth *b = bpf_map_lookup_elem(&procx, &tgid);
	struct pal_exec *e = pal_exec_head(s);

	e->old.tgid = tgid;
	e->old.exec_ktime = b ? b->exec_ktime : e->t.start;
}

INLINE void pal_exec_report(struct pal_scratch *s, struct task_struct *t, struct linux_binprm *bprm, u32 generation)
{
	struct pal_proc *p = pal_proc_get(t);

	if (!p) {
		pal_health_count(PAL_H_PROC_MISSING);
		return;
	}
	pal_exec_begin(s, t, p);
	pal_exec_set_old(s, p->key.tgid);
	pal_exec_set_path(s, p);
	pal_exec_set_cwd(s, t);
	pal_exec_set_args(s, t);
	pal_exec_set_binprm(s, bprm);
	p->flags &= ~PAL_PROC_EXEC_PENDING;
	pal_birth_tell(p);
	if (s->cls == PAL_CLASS_PENDING)
		pal_health_count(PAL_H_UNPROTECTED_START);
	pal_exec_send(s, generation);
}

INLINE void pal_exec_done(struct linux_binprm *bprm)
{
	u32 index = 0, generation = pal_generation();
	struct pal_scratch *s = pal_scratch_claim(&index);

	if (!s)
		return;
	pal_exec_identify(s, pal_current(), bprm, generation);
	pal_exec_report(s, pal_current(), bprm, generation);
	pal_scratch_release(index);
}

/*
 * At the end of a process whose exec has not been told: it died before its new image ran, or the program that tells was skipped (possible
 * since 7.0). Its memory is gone, so the record has no arguments.
 */
INLINE void pal_exec_late(void)
{
	struct task_struct *t = pal_current();
	struct pal_proc *p = pal_proc_get(t);
	u32 index = 0, tgid = pal_tgid();
	struct pal_scratch *s;

	if (!p || p->key.tgid != tgid || !(p->flags & PAL_PROC_EXEC_PENDING) || BPF_CORE_READ(t, signal, live.counter))
		return;
	s = pal_scratch_claim(&index);
	if (!s)
		return;
	pal_exec_begin(s, t, p);
	pal_exec_set_old(s, tgid);
	pal_exec_set_path(s, p);
	pal_exec_set_cwd(s, t);
	pal_exec_head(s)->flags |= PAL_EF_LATE | PAL_EF_ERROR_ARGS;
	p->flags &= ~PAL_PROC_EXEC_PENDING;
	pal_health_count(PAL_H_EXEC_LATE);
	pal_exec_send(s, pal_generation());
	pal_scratch_release(index);
}

#endif
