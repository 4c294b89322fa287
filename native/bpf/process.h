/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The process record: who a process is (key), what it runs (path, inode) and which binary sets that path is in.
 *
 * It is written at exec and copied at fork. A missing one is normal (programs attached late, a skipped fork) and is built on the spot from
 * the task. Sets belong to one generation; they are computed anew from the stored path when a process is first looked at under another.
 * Threads of one process may be in hooks of two generations at once, so each bank has sets of its own.
 */
#ifndef PALISADE_PROCESS_H
#define PALISADE_PROCESS_H

#include "task.h"
#include "walk.h"

INLINE struct pal_proc *pal_proc_get(struct task_struct *t)
{
#ifdef PAL_OLD
	u32 tgid = BPF_CORE_READ(t, tgid);

	return bpf_map_lookup_elem(&procs, &tgid);
#else
	return bpf_task_storage_get(&procs, t->group_leader, NULL, 0);
#endif
}

/* A forked child's record is a copy that its first look completes; only the child knows its own number then. */
INLINE int pal_proc_complete(const struct pal_proc *p, u32 tgid)
{
	return p->key.tgid == tgid && p->key.exec_ktime;
}

#define PAL_NOBODY 0xffffffffu /* as tgid of a record: it is of an image that is gone */

/* What could not be replaced must not stand for what a process runs now: the next look builds the record anew. */
INLINE void pal_proc_disown(struct task_struct *t)
{
	struct pal_proc *p = pal_proc_get(t);

	if (p)
		p->key.tgid = PAL_NOBODY;
}

/* Writes the record in s->proc to the process of t. */
INLINE int pal_proc_store(struct pal_scratch *s, struct task_struct *t)
{
#ifdef PAL_OLD
	u32 tgid = s->proc.key.tgid;

	if (!bpf_map_update_elem(&procs, &tgid, &s->proc, BPF_ANY))
		return 0;
#else
	struct pal_proc *p = bpf_task_storage_get(&procs, t->group_leader, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (p) {
		u32 tgid = s->proc.key.tgid;

		/* The number comes last: another thread that finds it finds the record whole. */
		s->proc.key.tgid = PAL_NOBODY;
		bpf_probe_read_kernel(p, sizeof(*p), &s->proc);
		barrier();
		*(volatile u32 *)&p->key.tgid = tgid;
		return 0;
	}
#endif
	pal_health_count(PAL_H_STORAGE_FAILED);
	pal_proc_disown(t);
	return -1;
}

/* The key of another process, by number: as it was told at its birth, else as the iterator would make it. */
INLINE void pal_key_of(struct task_struct *leader, struct pal_key *k)
{
	u32 tgid = BPF_CORE_READ(leader, tgid);
	struct pal_birth *b = bpf_map_lookup_elem(&procx, &tgid);

	k->tgid = tgid;
	k->flags = 0;
	k->exec_ktime = b ? b->exec_ktime : BPF_CORE_READ(leader, group_leader, start_boottime);
}

INLINE void pal_birth_tell(const struct pal_proc *p)
{
	struct pal_birth b = { .start = p->start_boottime, .exec_ktime = p->key.exec_ktime };
	u32 tgid = p->key.tgid;

	if (bpf_map_update_elem(&procx, &tgid, &b, BPF_ANY))
		pal_health_count(PAL_H_STORAGE_FAILED);
}

/* The sets of path[0..len) under the generation's bank; none where the bank has no table. */
INLINE void pal_sets_compute(struct pal_scratch *s, u32 generation, u64 path, u64 len, u64 *sets)
{
	u32 bank = generation & 1;
	void *inner = bpf_map_lookup_elem(&bsets, &bank);
	u64 n = len > PAL_STR_MAX ? PAL_STR_MAX : len;
	struct pal_str *v;

	sets[0] = sets[1] = sets[2] = sets[3] = 0;
	if (!inner)
		return;
	BOUND(n, 255);
	s->key.plen = 8 + 8 * n;
	s->key.plane = 0;
	pal_read(s->key.data, n, path);
	v = bpf_map_lookup_elem(inner, &s->key);
	if (!v)
		return;
	for (u32 i = 0; i < PAL_SET_WORDS; i++)
		sets[i] = v->pfx[i] | (v->klen == len ? v->eq[i] : 0);
}

/* Path and inode of an executable, as task t sees them, into s->proc. */
INLINE void pal_proc_set_file(struct pal_scratch *s, struct task_struct *t, u64 file)
{
	struct inode *inode = BPF_CORE_READ((struct file *)file, f_inode);
	u64 n;

	pal_walk_path(s, t, file + bpf_core_field_offset(struct file, f_path));
	n = pal_walk_len(s);
	if (s->walk.done != PAL_WALK_ROOT || n >= PAL_EXE_PATH_MAX)
		s->proc.flags |= PAL_PROC_PATH_UNKNOWN;
	if (n > PAL_EXE_PATH_MAX - 1)
		n = PAL_EXE_PATH_MAX - 1;
	BOUND(n, 1023);
	s->proc.path_len = n;
	u64 off = s->walk.off;
	BOUND(off, 4095);
	pal_read(s->proc.path, n, (u64)&s->walk_buf[off]);
	s->proc.ino = BPF_CORE_READ(inode, i_ino);
	s->proc.dev = BPF_CORE_READ(inode, i_sb, s_dev);
}

/* Begins a record for t in s->proc: who it is, without what it runs. */
INLINE void pal_proc_begin(struct pal_scratch *s, struct task_struct *t, u64 exec_ktime)
{
	struct task_struct *leader = BPF_CORE_READ(t, group_leader);

	s->proc.flags = 0;
	s->proc.key.tgid = BPF_CORE_READ(t, tgid);
	s->proc.key.flags = 0;
	s->proc.start_boottime = BPF_CORE_READ(leader, start_boottime);
	s->proc.key.exec_ktime = exec_ktime ? exec_ktime : s->proc.start_boottime;
	s->proc.exec_seq = (u32)BPF_CORE_READ(t, self_exec_id);
	s->proc.set_gen[0] = s->proc.set_gen[1] = 0;
	pal_key_of(BPF_CORE_READ(leader, real_parent), &s->proc.parent);
}

/* Threads that write the same bank at once write the same. */
INLINE void pal_proc_renew_sets(struct pal_scratch *s, struct pal_proc *p, u32 generation)
{
	volatile u32 *made_for = &p->set_gen[generation & 1];
	u64 *kept = p->sets[generation & 1];
	u64 sets[PAL_SET_WORDS];

	pal_sets_compute(s, generation, (u64)p->path, p->path_len, sets);
	*made_for = 0;
	barrier();
	for (u32 i = 0; i < PAL_SET_WORDS; i++)
		kept[i] = sets[i];
	barrier();
	*made_for = generation;
}

/* Builds t's record from what the task itself says. flags: how it came to be built. */
INLINE int pal_proc_build(struct pal_scratch *s, struct task_struct *t, u32 generation, u32 flags)
{
	u64 exe = (u64)BPF_CORE_READ(t, mm, exe_file);
	struct pal_proc *p;

	pal_proc_begin(s, t, 0);
	s->proc.flags |= flags;
	s->proc.path_len = 0;
	s->proc.ino = s->proc.dev = 0;
	if (exe) /* none: a kernel thread, which runs nothing and is in no set */
		pal_proc_set_file(s, t, exe);
	pal_proc_renew_sets(s, &s->proc, generation);
	p = pal_proc_get(t);
	if (p && p->key.tgid == s->proc.key.tgid)
		return 0; /* another thread was quicker */
	return pal_proc_store(s, t);
}

/* Gives a forked child's copied record the child's own identity. */
INLINE void pal_proc_adopt(struct pal_proc *p, struct task_struct *t, u32 tgid)
{
	struct task_struct *leader = BPF_CORE_READ(t, group_leader);
	struct pal_key parent = {};

	p->start_boottime = BPF_CORE_READ(leader, start_boottime);
	p->key.flags = 0;
	if (!p->parent.exec_ktime) {
		pal_key_of(BPF_CORE_READ(leader, real_parent), &parent);
		p->parent = parent;
	}
	p->key.exec_ktime = p->start_boottime;
	barrier();
	*(volatile u32 *)&p->key.tgid = tgid; /* last, as in pal_proc_store */
	pal_birth_tell(p);
}

/* Makes the current process's record exist, be its own, and hold the sets of the generation. */
GLOBAL int pal_proc_fix(u32 generation)
{
	struct task_struct *t = pal_current();
	u32 tgid = pal_tgid(), index = 0;
	struct pal_scratch *s = pal_scratch_claim(&index);
	struct pal_proc *p;

	if (!s)
		return 0;
	p = pal_proc_get(t);
	if (!p || (p->key.tgid && p->key.tgid != tgid)) {
		pal_health_count(PAL_H_PROC_MISSING);
		if (!pal_proc_build(s, t, generation, 0))
			pal_health_count(PAL_H_PROC_REBUILT);
	} else {
		if (!pal_proc_complete(p, tgid))
			pal_proc_adopt(p, t, tgid);
		if (p->set_gen[generation & 1] != generation)
			pal_proc_renew_sets(s, p, generation);
	}
	pal_scratch_release(index);
	return 0;
}

/* Whether a record is the current process's own, with the sets of the generation. */
INLINE int pal_proc_whole(const struct pal_proc *p, u32 generation)
{
	return p && pal_proc_complete(p, pal_tgid()) && p->set_gen[generation & 1] == generation;
}

/* The current process's record, whole; NULL where it can neither be found nor built nor completed. */
INLINE struct pal_proc *pal_proc_current(u32 generation)
{
	struct task_struct *t = pal_current();
	struct pal_proc *p = pal_proc_get(t);

	if (pal_proc_whole(p, generation))
		return p;
	pal_proc_fix(generation);
	p = pal_proc_get(t);
	return pal_proc_whole(p, generation) ? p : NULL;
}

#endif
