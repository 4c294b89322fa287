/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * New cgroups get their identity before any process is in them: by name where the pod is known already, else from their parent.
 */
#ifndef PALISADE_CGROUP_EVENTS_H
#define PALISADE_CGROUP_EVENTS_H

#include "exec-record.h"

#define PAL_CG_MKDIR 1
#define PAL_CG_RELEASE 2

/* directory name of a pod's cgroup -> class */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pal_podname);
	__type(value, u32);
} podnames SEC(".maps");

INLINE int pal_same_name(const char *a, const char *b, u32 n)
{
	_Pragma("unroll") for (u32 i = 0; i < n; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

#define NAME_IS(name, literal) pal_same_name(name, literal, sizeof(literal))

/* Levels between kubepods and pods, as cgroupfs and systemd spell them. */
INLINE int pal_is_qos_name(const char *name)
{
	return NAME_IS(name, "burstable") || NAME_IS(name, "besteffort") || NAME_IS(name, "kubepods-burstable.slice") ||
	       NAME_IS(name, "kubepods-besteffort.slice");
}

INLINE int pal_is_root_name(const char *name)
{
	return NAME_IS(name, "kubepods") || NAME_IS(name, "kubepods.slice");
}

/* What a new directory `name` below `parent` (NULL: not ours) is. 0: nothing of ours. */
INLINE int pal_cgroup_identify(const struct pal_podname *name, const struct pal_cgroup *parent, u64 id, struct pal_cgroup *e)
{
	u32 *cls;

	/* the loader's own cgroup has an entry too; outside of Kubernetes that may be the root of all */
	if (!parent || !(parent->flags & (PAL_CG_ROOT | PAL_CG_POD))) {
		e->flags = PAL_CG_ROOT;
		return pal_is_root_name(name->name);
	}
	*e = *parent;
	if (!(parent->flags & PAL_CG_ROOT))
		return 1;
	if (pal_is_qos_name(name->name))
		return 1;
	cls = bpf_map_lookup_elem(&podnames, name);
	e->cls = cls ? *cls : PAL_CLASS_PENDING;
	e->flags = PAL_CG_POD;
	e->pod = id;
	return 1;
}

struct pal_cg_record {
	struct pal_cg c;
	struct pal_podname name;
};

INLINE void pal_cgroup_report(u64 id, u64 parent, const struct pal_cgroup *e, u32 op, const struct pal_podname *name, u32 len)
{
	struct pal_cg_record r = {};

	r.c.id = id;
	r.c.parent = parent;
	r.c.pod = e->pod;
	r.c.op = op;
	r.c.cls = e->cls;
	r.c.l_name = len;
	if (name)
		r.name = *name;
	pal_hdr_set(&r.c.h, sizeof(r), PAL_KIND_CGROUP, 0, pal_generation(), 0);
	pal_send(&r, sizeof(r), 0);
}

INLINE void pal_cgroup_made(struct cgroup *cg)
{
	u64 id = BPF_CORE_READ(cg, kn, id), up = BPF_CORE_READ(cg, self.parent, cgroup, kn, id);
	struct pal_cgroup *parent = bpf_map_lookup_elem(&cgrp, &up);
	struct pal_podname name = {};
	struct pal_cgroup e = {};
	long n = bpf_probe_read_kernel_str(name.name, sizeof(name.name), BPF_CORE_READ(cg, kn, name));

	if (!pal_cgroup_identify(&name, parent, id, &e))
		return;
	if (bpf_map_update_elem(&cgrp, &id, &e, BPF_ANY))
		pal_health_count(PAL_H_CGROUP_FULL);
	pal_cgroup_report(id, up, &e, PAL_CG_MKDIR, &name, n > 0 ? n - 1 : 0);
}

INLINE void pal_cgroup_gone(struct cgroup *cg)
{
	u64 id = BPF_CORE_READ(cg, kn, id);
	struct pal_cgroup *e = bpf_map_lookup_elem(&cgrp, &id);
	struct pal_cgroup copy;

	if (!e)
		return;
	copy = *e;
	bpf_map_delete_elem(&cgrp, &id);
	pal_cgroup_report(id, 0, &copy, PAL_CG_RELEASE, NULL, 0);
}

#endif
