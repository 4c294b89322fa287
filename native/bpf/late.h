/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * execve and execveat: at entry, the path may lie in a page that is not there yet, and no program may wait for it. Such a call is marked,
 * and decided anew in bprm_creds_for_exec, where the kernel holds a copy of the path and the new image has not run.
 */
#ifndef PALISADE_LATE_H
#define PALISADE_LATE_H

#include "context.h"

INLINE u64 pal_late_key(u32 tid)
{
	return (u64)cfg.hook << 32 | tid;
}

INLINE u32 pal_tid(void)
{
	return bpf_get_current_pid_tgid();
}

/* Whether there was room for the mark. */
INLINE int pal_late_mark(void)
{
	u64 key = pal_late_key(pal_tid()), now = bpf_ktime_get_boot_ns();

	if (!bpf_map_update_elem(&late, &key, &now, BPF_ANY))
		return 1;
	pal_health_count(PAL_H_LATE_UNMARKED);
	return 0;
}

/* Removes the mark of a thread; whether there was one. */
INLINE int pal_late_take(u32 tid)
{
	u64 key = pal_late_key(tid);

	return bpf_map_delete_elem(&late, &key) == 0;
}

/* The number under which the thread began its execve. By sched_process_exec(task, old pid, bprm) it has that of the process's first thread. */
INLINE u32 pal_late_tid(void *ctx, const enum pal_front front)
{
	return front == PAL_FRONT_RAW ? pal_ctx_word(ctx, 1) : pal_tid();
}

#endif
