/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a task to its pod: the cgroup's own entry, else that of the nearest ancestor which has one.
 */
#ifndef PALISADE_CGROUP_H
#define PALISADE_CGROUP_H

#include "maps.h"

#define PAL_CGROUP_DEPTH 8

struct pal_place {
	u64 cgid, pod;
	u32 cls, flags;
};

INLINE struct cgroup *pal_task_cgroup(struct task_struct *t, u32 kflags)
{
	if (kflags & PAL_KF_CGROUP_V1) {
		struct cgroup_subsys_state *css = NULL;
		u64 sets = (u64)BPF_CORE_READ(t, cgroups);
		u64 index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

		pal_read(&css, sizeof(css), sets + bpf_core_field_offset(struct css_set, subsys) + index * 8);
		return BPF_CORE_READ(css, cgroup);
	}
	return BPF_CORE_READ(t, cgroups, dfl_cgrp);
}

/* Takes an entry found `up` levels above the task's own cgroup. */
INLINE void pal_place_take(struct pal_place *p, const struct pal_cgroup *e, u32 up)
{
	if (!(e->flags & PAL_CG_ROOT)) {
		p->cls = e->cls;
		p->flags = e->flags;
		p->pod = e->pod;
		return;
	}
	if (up) { /* below kubepods, and nobody knows it: a pod whose identity is not here yet */
		p->cls = PAL_CLASS_PENDING;
		p->flags = PAL_CG_POD;
	}
}

INLINE void pal_place_of(struct task_struct *t, u32 kflags, struct pal_place *p)
{
	struct cgroup *cg = pal_task_cgroup(t, kflags);

	p->cgid = BPF_CORE_READ(cg, kn, id);
	p->pod = 0;
	p->cls = PAL_CLASS_HOST;
	p->flags = 0;
	ROLLED for (u32 up = 0; up < PAL_CGROUP_DEPTH; up++) {
		u64 id = BPF_CORE_READ(cg, kn, id);
		struct pal_cgroup *e = bpf_map_lookup_elem(&cgrp, &id);

		if (e) {
			pal_place_take(p, e, up);
			return;
		}
		cg = BPF_CORE_READ(cg, self.parent, cgroup);
		if (!cg)
			return;
	}
	p->cls = PAL_CLASS_UNKNOWN;
}

#endif
