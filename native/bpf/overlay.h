/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * overlayfs opens the file of the layer behind every file of the merged tree, and file hooks see that inner open too: under the merged path
 * (6.1) or, worse, a path inside the layer that looks like one of the host's (6.12). Only the outer open is an operation of the task.
 */
#ifndef PALISADE_OVERLAY_H
#define PALISADE_OVERLAY_H

#include "dpath.h"

/* The layer's mount is a private clone of the kernel's, but its file system is an ordinary one (unlike that of memfd and pipes). */
INLINE int pal_overlay_mount(u64 vfsmount)
{
	struct super_block *sb = BPF_CORE_READ((struct vfsmount *)vfsmount, mnt_sb);

	return !(BPF_CORE_READ(sb, s_flags) & PAL_SB_KERNMOUNT);
}

INLINE int pal_overlay_inner(u64 vfsmount, u64 inode_sb, u64 dentry_sb)
{
	if (inode_sb != dentry_sb)
		return 1;
	return pal_mount_ns(vfsmount) == PAL_MNT_NS_INTERNAL && pal_overlay_mount(vfsmount);
}

/* The file is the hook's first argument. */
INLINE int pal_overlay_drops(void *ctx, const enum pal_front front)
{
	struct file *f;

	if (!(cfg.feat & PAL_FEAT_OVERLAY_FILTER))
		return 0;
	if (front == PAL_FRONT_TYPED) {
		f = (struct file *)pal_ctx_word(ctx, 0);
		return f && pal_overlay_inner((u64)f->f_path.mnt, (u64)f->f_inode->i_sb, (u64)f->f_path.dentry->d_sb);
	}
	if (front != PAL_FRONT_REGS)
		return 0;
	f = (struct file *)pal_ctx_reg(ctx, 0);
	return f && pal_overlay_inner((u64)BPF_CORE_READ(f, f_path.mnt), (u64)BPF_CORE_READ(f, f_inode, i_sb),
				      (u64)BPF_CORE_READ(f, f_path.dentry, d_sb));
}

#endif
