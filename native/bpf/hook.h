/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One call of a hook, from candidates to verdict. Cheapest planes first; it is over as soon as no candidate is left.
 */
#ifndef PALISADE_HOOK_H
#define PALISADE_HOOK_H

#include "emit.h"
#include "late.h"
#include "overlay.h"

#define PAL_TS_COMPAT 2

/* Extracts a slot. 1: the call is marked, and decided later. */
INLINE int pal_fetch(void *ctx, const enum pal_front front, struct pal_scratch *s, u32 index, u32 slot)
{
	const volatile struct pal_slot *c = &cfg.slot[slot & (PAL_SLOTS - 1)];

	if (front == PAL_FRONT_TYPED && (c->flags & PAL_SF_DPATH)) {
		pal_extract_dpath(s, ctx, slot, c);
		return 0;
	}
	s->raw = pal_slot_word(ctx, front, c);
	pal_extract(index, slot);
	if (!(cfg.feat & PAL_FEAT_LATE_MARK) || !(c->flags & PAL_SF_LATE))
		return 0;
	if (!(s->faulted & (1u << (slot & 31))))
		return 0;
	pal_late_mark();
	return 1;
}

/* 1 while candidates are left. */
INLINE int pal_scalar_planes(void *ctx, const enum pal_front front, struct pal_scratch *s, u32 index, struct pal_tbl *t)
{
	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		if (p >= cfg.np_scalar)
			break;
		if (p < cfg.np_task || !pal_plane_wanted(s->cand, t, p))
			continue;
		s->raw = pal_slot_word(ctx, front, &cfg.slot[cfg.plane[p].slot & (PAL_SLOTS - 1)]);
		if (!pal_scalar_plane(index, p))
			return 0;
	}
	return 1;
}

INLINE int pal_memory_planes(void *ctx, const enum pal_front front, struct pal_scratch *s, u32 index, struct pal_tbl *t)
{
	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		u32 slot;

		if (p >= cfg.np_mem)
			break;
		if (p < cfg.np_scalar || !pal_plane_wanted(s->cand, t, p))
			continue;
		slot = cfg.plane[p].slot & (PAL_SLOTS - 1);
		if (!(s->done & (1u << slot)) && pal_fetch(ctx, front, s, index, slot))
			return 0;
		if (!pal_string_plane(index, p))
			return 0;
	}
	return 1;
}

/* Extracts those slots of `wanted` that no plane has asked for. 0: the call is decided later. */
INLINE int pal_fetch_rest(void *ctx, const enum pal_front front, struct pal_scratch *s, u32 index, u32 flag)
{
	ROLLED for (u32 i = 0; i < PAL_SLOTS; i++) {
		u32 wanted;

		if (i >= cfg.nslots)
			break;
		wanted = flag ? cfg.slot[i].flags & flag : s->cap & (1u << i);
		if (!wanted || (s->done & (1u << i)))
			continue;
		if (pal_fetch(ctx, front, s, index, i))
			return 0;
	}
	return 1;
}

INLINE void pal_scratch_begin(struct pal_scratch *s, const u64 *cand, const u64 *known)
{
	s->off = PAL_ARGS_AT;
	s->done = s->unk = s->faulted = 0;
	s->nargs = s->nmatch = s->cap = 0;
	s->err = 0;
	s->sig = s->enforced = 0;
	s->flags = cfg.feat & PAL_FEAT_LATE_RUN ? PAL_HV_LATE : 0;
	FOR_WORDS(w) {
		s->cand[w] = cand[w];
		s->known[w] = known[w];
	}
}

INLINE int pal_run(void *ctx, const enum pal_front front, struct pal_scratch *s, u32 index, struct pal_tbl *t)
{
	if (!pal_scalar_planes(ctx, front, s, index, t) || !pal_memory_planes(ctx, front, s, index, t))
		return 0;
	if ((cfg.feat & PAL_FEAT_LATE_MARK) && !pal_fetch_rest(ctx, front, s, index, PAL_SF_LATE))
		return 0;
	pal_proc_current(pal_own_generation()); /* whole from here on, for exemption and record */
	pal_decide(index);
	if (s->nmatch) {
		pal_fetch_rest(ctx, front, s, index, 0);
		pal_emit(index);
	}
	return s->err;
}

/* Without working memory, what needs it is unknown; the verdict stands all the same, without an event. */
INLINE int pal_run_blind(u64 *cand, u64 *known, struct pal_tbl *t)
{
	u64 kill = 0;

	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		if (p >= cfg.np_mem)
			break;
		if (p >= cfg.np_task)
			pal_apply(cand, known, t, p, NULL, 0);
	}
	FOR_WORDS(w) {
		cand[w] = pal_firsts(cand[w], t->lsb[w], t->msb[w]);
		kill |= cand[w] & (known[w] | ~pal_denies(t, w)) & t->kill[w];
	}
	if (kill)
		bpf_send_signal(PAL_SIGKILL);
	return PAL_CAN_DENY ? pal_deny_error(cand, t) : 0;
}

/* System calls by raw sys_enter: ours only, and not those of 32-bit programs, whose numbers mean something else. */
INLINE int pal_other_syscall(void *ctx)
{
	struct task_struct *t = pal_current();

	if (pal_ctx_word(ctx, 1) != (u64)(s64)cfg.sysno)
		return 1;
	return bpf_core_field_exists(t->thread_info.status) && (BPF_CORE_READ(t, thread_info.status) & PAL_TS_COMPAT);
}

/* Whether this call is one to look at. */
INLINE int pal_admit(void *ctx, const enum pal_front front)
{
	if (front == PAL_FRONT_RAW && (cfg.feat & PAL_FEAT_SYS_ENTER) && pal_other_syscall(ctx))
		return 0;
	if ((cfg.feat & PAL_FEAT_LATE_RUN) && !pal_late_take())
		return 0;
	if (cfg.feat & PAL_FEAT_LATE_MARK)
		pal_late_take(); /* a mark of an earlier call that never came to its late hook */
	return 1;
}

INLINE int pal_hook(void *ctx, const enum pal_front front)
{
	u64 cand[PAL_WORDS] = {}, known[PAL_WORDS] = {};
	struct pal_tbl *t = pal_table();
	struct pal_scratch *s;
	u32 index = 0;
	int err;

	if (!pal_admit(ctx, front))
		return 0;
	if (!t) {
		pal_health_count(PAL_H_NO_TABLE);
		return 0;
	}
	FOR_WORDS(w)
		cand[w] = known[w] = t->all[w];
	if (!pal_any(cand) || !pal_task_planes(cand, known, t))
		return 0;
	if (pal_overlay_drops(ctx, front)) {
		pal_health_count(PAL_H_OVERLAY_DROPPED);
		return 0;
	}
	s = pal_scratch_claim(&index);
	if (!s)
		return pal_run_blind(cand, known, t);
	pal_scratch_begin(s, cand, known);
	err = pal_run(ctx, front, s, index, t);
	pal_scratch_release(index);
	return err;
}

#endif
