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

INLINE int pal_by_dpath(const enum pal_front front, u32 slot)
{
	return front == PAL_FRONT_TYPED && (cfg.slot[slot & (PAL_SLOTS - 1)].flags & PAL_SF_DPATH);
}

/* 1 while candidates are left. */
INLINE int pal_scalar_planes(u32 index)
{
	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		if (p >= cfg.np_scalar)
			break;
		if (p >= cfg.np_task && !pal_scalar_plane(index, p))
			return 0;
	}
	return 1;
}

/* 1 while candidates are left. Paths by bpf_d_path are extracted here, where the context is; others by the plane. */
INLINE int pal_memory_planes(void *ctx, const enum pal_front front, struct pal_scratch *s, u32 index, struct pal_tbl *t)
{
	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		u32 slot;

		if (p >= cfg.np_mem)
			break;
		if (p < cfg.np_scalar)
			continue;
		slot = cfg.plane[p].slot & (PAL_SLOTS - 1);
		if (pal_by_dpath(front, slot) && !(s->done & (1u << slot)) && pal_plane_wanted(s->cand, t, p))
			pal_extract_dpath(s, ctx, slot, &cfg.slot[slot]);
		if (!pal_string_plane(index, p))
			return 0;
	}
	return 1;
}

/* Whether a path that no plane has asked for makes the call one to be decided later. */
GLOBAL int pal_late_rest(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);

	if (!s)
		return 0;
	ROLLED for (u32 i = 0; i < PAL_SLOTS; i++) {
		if (i >= cfg.nslots)
			break;
		if (!(cfg.slot[i].flags & PAL_SF_LATE))
			continue;
		if (!(s->done & (1u << i)))
			pal_extract(index, i);
		if (pal_is_late(s, i))
			return 1;
	}
	return 0;
}

/* Extracts what the matches want to see and no plane has asked for. */
INLINE void pal_capture(void *ctx, const enum pal_front front, struct pal_scratch *s, u32 index)
{
	ROLLED for (u32 i = 0; i < PAL_SLOTS; i++) {
		if (i >= cfg.nslots)
			break;
		if (!((s->cap & ~s->done) & (1u << i)))
			continue;
		if (pal_by_dpath(front, i))
			pal_extract_dpath(s, ctx, i, &cfg.slot[i]);
		else
			pal_extract(index, i);
	}
}

INLINE void pal_scratch_begin(struct pal_scratch *s, const u64 *cand, const u64 *known)
{
	s->off = PAL_ARGS_AT;
	s->done = s->unk = s->cut = s->faulted = 0;
	s->nargs = s->nmatch = s->cap = 0;
	s->err = 0;
	s->sig = s->late = 0;
	s->flags = cfg.feat & PAL_FEAT_LATE_RUN ? PAL_HV_LATE : 0;
	FOR_WORDS(w) {
		s->cand[w] = cand[w];
		s->known[w] = known[w];
	}
}

/* No plane over the call's arguments knows its value. */
INLINE void pal_apply_unknown(u64 *cand, u64 *known, struct pal_tbl *t)
{
	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		if (p >= cfg.np_mem)
			break;
		if (p >= cfg.np_task)
			pal_apply(cand, known, t, p, NULL, 0);
	}
}

/* For a call that can neither be decided now nor later. */
GLOBAL int pal_arguments_unknown(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);
	struct pal_tbl *t = pal_table();

	if (s && t)
		pal_apply_unknown(s->cand, s->known, t);
	return 0;
}

INLINE int pal_run(void *ctx, const enum pal_front front, struct pal_scratch *s, u32 index, struct pal_tbl *t)
{
	pal_take_words(ctx, front, s);
	if (!pal_scalar_planes(index))
		return 0;
	if (!pal_memory_planes(ctx, front, s, index, t) || ((cfg.feat & PAL_FEAT_LATE_MARK) && pal_late_rest(index))) {
		if (!(cfg.feat & PAL_FEAT_LATE_MARK) || !s->late || pal_late_mark())
			return 0;
		pal_arguments_unknown(index);
	}
	pal_proc_current(pal_own_generation()); /* whole from here on, for exemption and record */
	pal_decide(index);
	if (s->nmatch) {
		pal_capture(ctx, front, s, index);
		pal_emit(index);
	}
	return s->err;
}

GLOBAL int pal_blind_exemption(void)
{
	struct pal_place place;

	pal_place_of(pal_current(), cfg.kflags, &place);
	return pal_exemption_of(place.flags);
}

/* Without working memory, what needs it is unknown; the verdict stands all the same, without an event. */
INLINE int pal_run_blind(u64 *cand, u64 *known, struct pal_tbl *t)
{
	u64 kill = 0;
	int exemption;

	pal_apply_unknown(cand, known, t);
	FOR_WORDS(w)
		cand[w] = pal_firsts(cand[w], t->lsb[w], t->msb[w]);
	if (!pal_any(cand))
		return 0;
	exemption = pal_blind_exemption();
	if (exemption == PAL_EXEMPT_ALL)
		return 0;
	FOR_WORDS(w) {
		if (exemption == PAL_EXEMPT_UNKNOWN)
			cand[w] &= known[w];
		kill |= cand[w] & (known[w] | ~pal_denies(t, w)) & t->kill[w];
	}
	if (kill)
		pal_kill();
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
	if ((cfg.feat & PAL_FEAT_LATE_RUN) && !pal_late_take(pal_late_tid(ctx, front)))
		return 0;
	if (cfg.feat & PAL_FEAT_LATE_MARK)
		pal_late_take(pal_tid()); /* a mark of an earlier call that never came to its late hook */
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
