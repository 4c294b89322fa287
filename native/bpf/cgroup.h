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

/* Where a cgroup belongs. READ: how its pointers may be followed. */
#define PAL_PLACE_OF_CGROUP(cg, READ, p)                                                                                                   \
	do {                                                                                                                               \
		(p)->cgid = READ(cg, kn, id);                                                                                              \
		(p)->pod = 0;                                                                                                              \
		(p)->cls = PAL_CLASS_HOST;                                                                                                 \
		(p)->flags = 0;                                                                                                            \
		ROLLED for (u32 up = 0; up < PAL_CGROUP_DEPTH; up++) {                                                                     \
			struct cgroup_subsys_state *parent;                                                                                \
			u64 id = READ(cg, kn, id);                                                                                         \
			struct pal_cgroup *e = bpf_map_lookup_elem(&cgrp, &id);                                                            \
                                                                                                                                           \
			if (e) {                                                                                                           \
				pal_place_take(p, e, up);                                                                                  \
				return;                                                                                                    \
			}                                                                                                                  \
			parent = READ(cg, self.parent);                                                                                    \
			if (!parent)                                                                                                       \
				return;                                                                                                    \
			cg = READ(parent, cgroup);                                                                                         \
		}                                                                                                                          \
		(p)->cls = PAL_CLASS_UNKNOWN;                                                                                              \
	} while (0)

INLINE struct cgroup *pal_memory_cgroup(struct task_struct *t)
{
	struct cgroup_subsys_state *css = NULL;
	u64 sets = (u64)BPF_CORE_READ(t, cgroups);
	u64 index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

	pal_read(&css, sizeof(css), sets + bpf_core_field_offset(struct css_set, subsys) + index * 8);
	return BPF_CORE_READ(css, cgroup);
}

/* For a task whose pointer is a mere number. */
INLINE void pal_place_of_number(struct task_struct *t, u32 kflags, struct pal_place *p)
{
	struct cgroup *cg = kflags & PAL_KF_CGROUP_V1 ? pal_memory_cgroup(t) : BPF_CORE_READ(t, cgroups, dfl_cgrp);

	PAL_PLACE_OF_CGROUP(cg, BPF_CORE_READ, p);
}

/* For a task whose pointer is typed. */
INLINE void pal_place_of(struct task_struct *t, u32 kflags, struct pal_place *p)
{
	struct cgroup *cg;

	if (kflags & PAL_KF_CGROUP_V1) {
		pal_place_of_number(t, kflags, p);
		return;
	}
	cg = TASK_READ(t, cgroups, dfl_cgrp);
	PAL_PLACE_OF_CGROUP(cg, TASK_READ, p);
}

#endif
