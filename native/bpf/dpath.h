/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Paths by bpf_d_path: half the price of a walk, but only for a typed pointer straight from the context, so outside of the extractor.
 */
#ifndef PALISADE_DPATH_H
#define PALISADE_DPATH_H

#include "extract.h"

#define PAL_DELETED_SUFFIX 10 /* " (deleted)" */
#define PAL_MNT_NS_INTERNAL ((u64)-22)

INLINE u64 pal_mount_ns(u64 vfsmount)
{
	u64 ns = 0;

	pal_read(&ns, sizeof(ns), vfsmount - bpf_core_field_offset(struct mount, mnt) + bpf_core_field_offset(struct mount, mnt_ns));
	return ns;
}

/*
 * A mount of no namespace (detached) or of another one: the path ends at a root that is not the task's, and says nothing.
 * Kernel-internal mounts (memfd, pipes) are no place to hide.
 */
INLINE int pal_mount_foreign(u64 vfsmount)
{
	u64 ns = pal_mount_ns(vfsmount);

	return ns != PAL_MNT_NS_INTERNAL && ns != (u64)TASK_READ(pal_current(), nsproxy, mnt_ns);
}

/* bpf_d_path marks unlinked files in the text; rules are about the name. */
INLINE u64 pal_strip_deleted(struct pal_scratch *s, u64 value, u64 len)
{
	static const char suffix[16] = " (deleted)";
	u64 at = value + len - PAL_DELETED_SUFFIX;

	if (len <= PAL_DELETED_SUFFIX)
		return len;
	BOUND(at, 65535);
	if (at >= PAL_RECORD_MAX + 8192)
		return len;
	if (*(u64 *)&s->rec[at] != *(const u64 *)suffix || *(u16 *)&s->rec[at + 8] != *(const u16 *)(suffix + 8))
		return len;
	return len - PAL_DELETED_SUFFIX;
}

/* path: typed; must be used in the very function that loaded it from the context */
INLINE void pal_put_dpath(struct pal_scratch *s, const struct pal_open_arg *a, u32 slot, u32 type, struct path *path)
{
	u64 value = a->data + sizeof(struct pal_path_head), len = 0;
	u32 status = PAL_A_OK, flags = 0;
	long n;

	BOUND(value, 32767);
	n = bpf_d_path(path, (char *)&s->rec[value], PAL_STRING_MAX);
	if (n <= 0) {
		status = PAL_A_FAULT;
	} else {
		len = n - 1;
		if (!path->dentry->d_hash.pprev) {
			flags = PAL_PATHF_DELETED;
			len = pal_strip_deleted(s, value, len);
		}
		if (pal_mount_foreign((u64)path->mnt))
			status = PAL_A_UNREACHABLE;
	}
	pal_path_head_set(s, a->data, path->dentry->d_inode->i_mode, flags);
	BOUND(len, 4095);
	pal_arg_close(s, a, slot, type, status, value, len);
}

INLINE void pal_extract_dpath(struct pal_scratch *s, void *ctx, u32 slot, const volatile struct pal_slot *c)
{
	struct pal_open_arg a;

	if (pal_arg_open(s, &a)) {
		pal_slot_mark(s, slot, c->type, PAL_A_FULL);
		s->flags |= PAL_HV_TRUNC;
		return;
	}
	if (c->type == PAL_T_FILE) {
		struct file *f = (struct file *)pal_ctx_word(ctx, c->reg);

		if (f) {
			pal_put_dpath(s, &a, slot, PAL_T_FILE, &f->f_path);
			return;
		}
	} else {
		struct path *p = (struct path *)pal_ctx_word(ctx, c->reg);

		if (p) {
			pal_put_dpath(s, &a, slot, PAL_T_PATH, p);
			return;
		}
	}
	pal_path_head_set(s, a.data, 0, 0);
	pal_arg_close(s, &a, slot, c->type, PAL_A_NULL, a.data + sizeof(struct pal_path_head), 0);
}

#endif
