/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * execve and execveat: at entry, the path may lie in a page that is not there yet, and no program may wait for it. Such a call is marked,
 * and decided anew in bprm_creds_for_exec, where the kernel holds a copy of the path and the new image has not run.
 */
#ifndef PALISADE_LATE_H
#define PALISADE_LATE_H

#include "hook-maps.h"

INLINE u64 pal_late_key(void)
{
	return (u64)cfg.hook << 32 | (u32)bpf_get_current_pid_tgid();
}

INLINE void pal_late_mark(void)
{
	u64 key = pal_late_key(), now = bpf_ktime_get_boot_ns();

	bpf_map_update_elem(&late, &key, &now, BPF_ANY);
}

/* Removes the mark; whether there was one. */
INLINE int pal_late_take(void)
{
	u64 key = pal_late_key();

	return bpf_map_delete_elem(&late, &key) == 0;
}

#endif
