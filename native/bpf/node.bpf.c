// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The programs of a node that no policy asks for: the process table, the identity of cgroups, and the iterator that fills the table with
 * what ran before.
 */
#include "cgroup-events.h"
#include "exec.h"
#include "lifecycle.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What a restarted loader must know; written by loaders only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pal_meta);
} meta SEC(".maps");

SEC("lsm/bprm_committed_creds")
int proc_exec_id(u64 *ctx)
{
	pal_exec_id((struct linux_binprm *)ctx[0]);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int proc_exec_id_rtp(u64 *ctx)
{
	pal_exec_id((struct linux_binprm *)ctx[2]);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int proc_exec(u64 *ctx)
{
	pal_exec_done((struct linux_binprm *)ctx[2]);
	return 0;
}

#ifdef PAL_OLD
SEC("lsm/task_alloc")
int proc_fork(u64 *ctx)
{
	return 0; /* records are kept by number here, and the child has none yet */
}

SEC("raw_tp/sched_process_fork")
int proc_fork_rtp(u64 *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx[1];

	if (BPF_CORE_READ(child, pid) == BPF_CORE_READ(child, tgid))
		pal_fork_copy(child);
	return 0;
}
#else
SEC("lsm/task_alloc")
int proc_fork(u64 *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx[0];

	pal_fork_copy(child, ctx[1]);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int proc_fork_rtp(u64 *ctx)
{
	return 0; /* a raw pointer has no task storage: the child's first look builds its record */
}
#endif

SEC("raw_tp/sched_process_fork")
int proc_clone(u64 *ctx)
{
	pal_clone_report((struct task_struct *)ctx[1]);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int proc_exit(u64 *ctx)
{
	pal_exec_late();
	pal_exit_report();
	pal_exit_forget();
	return 0;
}

SEC("raw_tp/cgroup_mkdir")
int cg_mkdir(u64 *ctx)
{
	pal_cgroup_made((struct cgroup *)ctx[0]);
	return 0;
}

SEC("raw_tp/cgroup_release")
int cg_release(u64 *ctx)
{
	pal_cgroup_gone((struct cgroup *)ctx[0]);
	return 0;
}

/* Builds the record of a process that has none of its own. */
INLINE struct pal_proc *pal_iter_proc(struct pal_scratch *s, struct task_struct *t, u32 generation)
{
	struct pal_proc *p = pal_proc_get(t);

	if (p && p->key.exec_ktime && p->key.tgid != PAL_NOBODY)
		return p;
	pal_proc_build(s, t, generation, PAL_PROC_FROM_ITER);
	p = pal_proc_get(t);
	if (p)
		pal_birth_tell(p);
	return p;
}

INLINE void pal_iter_write(struct seq_file *seq, struct pal_scratch *s, struct task_struct *t, const struct pal_proc *p)
{
	struct pal_exec *e = pal_exec_head(s);
	u64 len;

	pal_exec_begin(s, t, p);
	e->flags |= PAL_EF_PROCFS;
	e->nlink = BPF_CORE_READ(t, mm, exe_file, f_inode, i_nlink);
	pal_exec_set_path(s, p);
	len = pal_exec_len(s);
	e->h.len = len;
	e->h.kind = PAL_KIND_EXEC;
	bpf_seq_write(seq, s->rec, len);
}

SEC("iter/task")
int iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct pal_scratch *s;
	struct pal_proc *p;
	u32 index = 0;

	if (!t || BPF_CORE_READ(t, pid) != BPF_CORE_READ(t, tgid) || !BPF_CORE_READ(t, mm))
		return 0;
	s = pal_scratch_claim(&index);
	if (!s)
		return 0;
	p = pal_iter_proc(s, t, pal_generation());
	if (p)
		pal_iter_write(ctx->meta->seq, s, t, p);
	pal_scratch_release(index);
	return 0;
}
