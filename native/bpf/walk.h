/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The path of a file as a task sees it, built by walking from the dentry to the task's root. For programs and hooks in which bpf_d_path
 * is not allowed.
 */
#ifndef PALISADE_WALK_H
#define PALISADE_WALK_H

#include "scratch.h"

enum pal_walk_end {
	PAL_WALK_ENDLESS = 0, /* more components than steps */
	PAL_WALK_ROOT = 1,    /* arrived at the task's root */
	PAL_WALK_FOREIGN = 2, /* ended at a root that is not the task's: detached mount, other mount namespace, outside of a chroot */
	PAL_WALK_TOO_LONG = -1,
};

#define PAL_SB_KERNMOUNT (1 << 22)
#define PAL_WALK_STEPS 2048
#define PAL_WALK_NAME_MAX 255 /* of one component; some file systems have longer ones (FUSE) */
#define PAL_WALK_STEPS_OLD 1024

/* d_parent and d_name: neighbours on every kernel seen so far, then one read is enough. */
struct pal_dentry_head {
	u64 parent;
	u32 hash, len;
	u64 name;
};

INLINE void pal_walk_read_dentry(u64 dentry, struct pal_dentry_head *h)
{
	u32 parent = bpf_core_field_offset(struct dentry, d_parent);
	u32 name = bpf_core_field_offset(struct dentry, d_name);

	if (name == parent + 8) {
		pal_read(h, sizeof(*h), dentry + parent);
		return;
	}
	pal_read(&h->parent, 8, dentry + parent);
	pal_read(&h->hash, 16, dentry + name);
}

INLINE int pal_walk_prepend(struct pal_scratch *s, const struct pal_dentry_head *h)
{
	struct pal_walk *w = &s->walk;
	u64 len = h->len, off = w->off, copy;

	if (len > PAL_WALK_NAME_MAX || off < len + 1) {
		w->done = PAL_WALK_TOO_LONG;
		return -1;
	}
	off -= len + 1;
	BOUND(off, 4095);
	s->walk_buf[off] = '/';
	copy = len; /* the verifier has forgotten its bound */
	BOUND(copy, 255);
	pal_read(&s->walk_buf[off + 1], copy, h->name);
	w->off = off;
	return 0;
}

/* A file without a name in any tree (memfd, pipe): its own name is all there is. */
INLINE void pal_walk_pseudo(struct pal_scratch *s, const struct pal_dentry_head *h)
{
	struct dentry *d = (struct dentry *)s->walk.dentry; /* not inside of CORE_READ, which would relocate pal_scratch, too */
	struct super_block *sb = BPF_CORE_READ(d, d_sb);

	pal_walk_prepend(s, h);
	if (s->walk.done != PAL_WALK_TOO_LONG)
		s->walk.done = BPF_CORE_READ(sb, s_flags) & PAL_SB_KERNMOUNT ? PAL_WALK_ROOT : PAL_WALK_FOREIGN;
}

INLINE void pal_walk_set_mount(struct pal_walk *w, u64 mount)
{
	struct vfsmount *v = (struct vfsmount *)(mount + bpf_core_field_offset(struct mount, mnt));

	w->mount = mount;
	w->vfsmount = (u64)v;
	w->mount_root = (u64)BPF_CORE_READ(v, mnt_root);
}

/* From the root of a mount to the place it is mounted on. */
INLINE int pal_walk_leave_mount(struct pal_walk *w)
{
	struct mount *m = (struct mount *)w->mount;
	struct mount *parent = BPF_CORE_READ(m, mnt_parent);

	if (parent == m) {
		w->done = PAL_WALK_FOREIGN;
		return 1;
	}
	w->dentry = (u64)BPF_CORE_READ(m, mnt_mountpoint);
	pal_walk_set_mount(w, (u64)parent);
	return 0;
}

INLINE long pal_walk_one(struct pal_scratch *s)
{
	struct pal_walk *w = &s->walk;
	struct pal_dentry_head h = {};

	if (w->dentry == w->root_dentry && w->vfsmount == w->root_vfsmount) {
		w->done = PAL_WALK_ROOT;
		return 1;
	}
	if (w->dentry == w->mount_root)
		return pal_walk_leave_mount(w);
	pal_walk_read_dentry(w->dentry, &h);
	if (h.parent == w->dentry || !h.parent) {
		pal_walk_pseudo(s, &h);
		return 1;
	}
	if (pal_walk_prepend(s, &h))
		return 1;
	w->dentry = h.parent;
	return 0;
}

#ifdef PAL_OLD
/* Without bpf_loop every step is verified; a subprogram makes that cheap. */
GLOBAL int pal_walk_step(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);

	return s ? pal_walk_one(s) : 1;
}

INLINE void pal_walk_run(struct pal_scratch *s)
{
	u32 index = s->index;

	ROLLED for (int i = 0; i < PAL_WALK_STEPS_OLD; i++)
		if (pal_walk_step(index))
			return;
}
#else
struct pal_walk_ctx {
	struct pal_scratch *s;
};

static long pal_walk_step(u32 i, struct pal_walk_ctx *c)
{
	return pal_walk_one(c->s);
}

INLINE void pal_walk_run(struct pal_scratch *s)
{
	struct pal_walk_ctx c = { .s = s };

	bpf_loop(PAL_WALK_STEPS, pal_walk_step, &c, 0);
}
#endif

/* Walks as far as it goes from where pal_walk_path has put s->walk. */
GLOBAL int pal_walk(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);

	if (s)
		pal_walk_run(s);
	return 0;
}

/*
 * Leaves the path of *path (address of a struct path) in s->walk_buf[s->walk.off .. PAL_WALK_END) as task t sees it.
 * s->walk.done says how far it came; an empty path that ended at a root is "/".
 */
INLINE void pal_walk_path(struct pal_scratch *s, struct task_struct *t, u64 path)
{
	struct pal_walk *w = &s->walk;
	struct path root = {}, from = {};
	u64 fs = (u64)BPF_CORE_READ(t, fs);

	w->off = PAL_WALK_END;
	w->done = PAL_WALK_FOREIGN;
	pal_read(&from, sizeof(from), path);
	if (!from.dentry || !from.mnt)
		return;
	pal_read(&root, sizeof(root), fs + bpf_core_field_offset(struct fs_struct, root));
	w->root_dentry = (u64)root.dentry;
	w->root_vfsmount = (u64)root.mnt;
	w->dentry = (u64)from.dentry;
	w->done = PAL_WALK_ENDLESS;
	pal_walk_set_mount(w, (u64)from.mnt - bpf_core_field_offset(struct mount, mnt));
	pal_walk(s->index);
	if (w->off == PAL_WALK_END && w->done > 0) {
		w->off = PAL_WALK_END - 1;
		s->walk_buf[PAL_WALK_END - 1] = '/';
	}
}

INLINE u64 pal_walk_len(const struct pal_scratch *s)
{
	u64 n = PAL_WALK_END - s->walk.off;

	BOUND(n, 4095);
	return n;
}

#endif
