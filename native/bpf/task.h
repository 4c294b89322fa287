/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Facts about a task: namespaces, capabilities, credentials.
 */
#ifndef PALISADE_TASK_H
#define PALISADE_TASK_H

#include "base.h"

/* The namespace that a task's pid lives in; nsproxy names only the one for its children. */
INLINE u32 pal_pid_ns(struct task_struct *t)
{
	struct pid *p = BPF_CORE_READ(t, thread_pid);
	u64 level = BPF_CORE_READ(p, level);
	struct pid_namespace *ns = NULL;

	pal_read(&ns, sizeof(ns), (u64)p + bpf_core_field_offset(struct pid, numbers) + level * 16 + 8);
	return BPF_CORE_READ(ns, ns.inum);
}

/* A process's number inside its own pid namespace. */
INLINE u32 pal_ns_tgid(struct task_struct *t)
{
	struct pid *p = BPF_CORE_READ(t, group_leader, thread_pid);
	u64 level = BPF_CORE_READ(p, level);
	u32 nr = 0;

	pal_read(&nr, sizeof(nr), (u64)p + bpf_core_field_offset(struct pid, numbers) + level * 16);
	return nr;
}

INLINE u32 pal_namespace(struct task_struct *t, u32 which)
{
	switch (which) {
	case PAL_NS_UTS:
		return TASK_READ(t, nsproxy, uts_ns, ns.inum);
	case PAL_NS_IPC:
		return TASK_READ(t, nsproxy, ipc_ns, ns.inum);
	case PAL_NS_MNT:
		return TASK_READ(t, nsproxy, mnt_ns, ns.inum);
	case PAL_NS_PID:
		return pal_pid_ns(t);
	case PAL_NS_PID_FOR_CHILDREN:
		return TASK_READ(t, nsproxy, pid_ns_for_children, ns.inum);
	case PAL_NS_NET:
		return TASK_READ(t, nsproxy, net_ns, ns.inum);
	case PAL_NS_TIME:
		return TASK_READ(t, nsproxy, time_ns, ns.inum);
	case PAL_NS_TIME_FOR_CHILDREN:
		return TASK_READ(t, nsproxy, time_ns_for_children, ns.inum);
	case PAL_NS_CGROUP:
		return TASK_READ(t, nsproxy, cgroup_ns, ns.inum);
	case PAL_NS_USER:
		return TASK_READ(t, cred, user_ns, ns.inum);
	}
	return 0;
}

INLINE u64 pal_read_cap(u64 cred, u32 offset)
{
	u64 caps = 0;

	pal_read(&caps, sizeof(caps), cred + offset);
	return caps;
}

INLINE u64 pal_capabilities(struct task_struct *t, u32 src)
{
	u64 cred = (u64)BPF_CORE_READ(t, cred);

	if (src == PAL_P_CAP_EFF)
		return pal_read_cap(cred, bpf_core_field_offset(struct cred, cap_effective));
	if (src == PAL_P_CAP_PRM)
		return pal_read_cap(cred, bpf_core_field_offset(struct cred, cap_permitted));
	return pal_read_cap(cred, bpf_core_field_offset(struct cred, cap_inheritable));
}

INLINE int pal_in_host_user_ns(struct task_struct *t)
{
	return TASK_READ(t, cred, user_ns, level) == 0;
}

INLINE void pal_read_cred(struct task_struct *t, struct pal_cred *c)
{
	const struct cred *k = BPF_CORE_READ(t, cred);
	struct user_namespace *ns = BPF_CORE_READ(k, user_ns);

	c->uid = BPF_CORE_READ(k, uid.val);
	c->gid = BPF_CORE_READ(k, gid.val);
	c->euid = BPF_CORE_READ(k, euid.val);
	c->egid = BPF_CORE_READ(k, egid.val);
	c->suid = BPF_CORE_READ(k, suid.val);
	c->sgid = BPF_CORE_READ(k, sgid.val);
	c->fsuid = BPF_CORE_READ(k, fsuid.val);
	c->fsgid = BPF_CORE_READ(k, fsgid.val);
	c->secbits = BPF_CORE_READ(k, securebits);
	c->pad = 0;
	c->prm = pal_capabilities(t, PAL_P_CAP_PRM);
	c->eff = pal_capabilities(t, PAL_P_CAP_EFF);
	c->inh = pal_capabilities(t, PAL_P_CAP_INH);
	c->ns_level = BPF_CORE_READ(ns, level);
	c->ns_uid = BPF_CORE_READ(ns, owner.val);
	c->ns_gid = BPF_CORE_READ(ns, group.val);
	c->ns_inum = BPF_CORE_READ(ns, ns.inum);
}

#endif
