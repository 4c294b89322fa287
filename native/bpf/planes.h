/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Planes: each is one lookup that turns a value into a mask of selectors, and takes from the candidates those it rules out.
 *
 * Two masks go along. `cand` is what may still match; where a value is unknown, selectors that treat unknown as a match stay. `known` is
 * what is left without their help: a kill needs that one.
 */
#ifndef PALISADE_PLANES_H
#define PALISADE_PLANES_H

#include "extract.h"

#define PAL_PLANE_MASK (PAL_PLANES - 1)

/* hit: NULL for no hit at all */
INLINE void pal_apply(u64 *cand, u64 *known, struct pal_tbl *t, u32 plane, const u64 *hit, int is_known)
{
	struct pal_plane_tbl *p = &t->pl[plane & PAL_PLANE_MASK];

	FOR_WORDS(w) {
		u64 h = hit ? hit[w] : 0;

		if (is_known) {
			u64 keep = (h ^ p->inv[w]) | p->dc[w];

			cand[w] &= keep;
			known[w] &= keep;
		} else {
			cand[w] &= p->unk[w] | p->dc[w];
			known[w] &= p->dc[w];
		}
	}
}

INLINE int pal_any(const u64 *mask)
{
	u64 any = 0;

	FOR_WORDS(w)
		any |= mask[w];
	return any != 0;
}

/* Whether any candidate looks at this plane at all. */
INLINE int pal_plane_wanted(const u64 *cand, const struct pal_tbl *t, u32 plane)
{
	u64 any = 0;

	FOR_WORDS(w)
		any |= cand[w] & ~t->pl[plane & PAL_PLANE_MASK].dc[w];
	return any != 0;
}

/* Which selectors have a mask that v hits. */
INLINE void pal_mask_hits(const struct pal_tbl *t, u32 plane, u64 v, u64 *hit)
{
	const volatile struct pal_plane *c = &cfg.plane[plane & PAL_PLANE_MASK];
	u32 n = c->ncls;

	barrier_var(n); /* or clang knows that a byte ends the loop, and drops the bound that the verifier needs */
	FOR_WORDS(w)
		hit[w] = 0;
	ROLLED for (u32 j = 0; j < PAL_MASK_CLASSES; j++) {
		const struct pal_mask_class *k;
		u64 x;

		if (j >= n)
			break;
		k = &t->cls[(c->cls0 + j) & (PAL_MASK_CLASSES - 1)];
		x = v & k->mask;
		x = -((x | -x) >> 63); /* all ones if any bit hit: no branch, or the verifier follows 2^ncls paths */
		barrier_var(x);
		FOR_WORDS(w)
			hit[w] |= k->sel[w] & x;
	}
}

/* hit: room for the mask of selectors; in scratch memory where the verifier must not follow its values */
INLINE void pal_int_plane(u64 *cand, u64 *known, struct pal_tbl *t, u32 plane, u64 v, int is_known, u64 *hit)
{
	struct pal_int_key key = { .plane = plane, .v = v };
	const u64 *row;

	if (cfg.plane[plane & PAL_PLANE_MASK].kind == PAL_K_MASK) {
		pal_mask_hits(t, plane, v, hit);
		row = hit;
	} else {
		row = PAL_LOOKUP(ints, &key);
	}
	pal_apply(cand, known, t, plane, row, is_known);
}

/* ---- planes over the task ---- */

INLINE void pal_scope_plane(u64 *cand, u64 *known, struct pal_tbl *t, u32 plane, struct task_struct *task)
{
	struct pal_place place;
	u64 *row;

	pal_place_of(task, cfg.kflags, &place);
	row = PAL_LOOKUP(scope, &place.cls);
	pal_apply(cand, known, t, plane, row, row != NULL);
}

INLINE void pal_binary_plane(u64 *cand, u64 *known, struct pal_tbl *t, u32 plane)
{
	struct pal_proc *p = pal_proc_current(pal_own_generation());
	u64 hit[PAL_WORDS] = {};

	if (!p || (p->flags & PAL_PROC_PATH_UNKNOWN)) {
		pal_apply(cand, known, t, plane, NULL, 0);
		return;
	}
	ROLLED for (u32 j = 0; j < 8 * PAL_SET_WORDS; j++) {
		u32 key;
		u64 *row;

		if (j >= cfg.ncol)
			break;
		key = ((u8 *)p->sets[cfg.bank & 1])[j];
		if (!key)
			continue;
		key += j * 256;
		row = PAL_LOOKUP(cols, &key);
		if (row) {
			FOR_WORDS(w)
				hit[w] |= row[w];
		}
	}
	pal_apply(cand, known, t, plane, hit, 1);
}

/* The value of a plane over namespaces or capabilities. */
GLOBAL u64 pal_task_value(u32 src, u32 field)
{
	struct task_struct *task = pal_current();

	if (src == PAL_P_NS)
		return pal_namespace(task, field);
	/* capabilities "in a namespace" count outside of the host's user namespace only */
	if ((field & PAL_PF_NS_CAP) && pal_in_host_user_ns(task))
		return 0;
	return pal_capabilities(task, src);
}

/* Returns 0 as soon as no candidate is left. */
INLINE int pal_task_planes(u64 *cand, u64 *known, struct pal_tbl *t)
{
	struct task_struct *task = pal_current();
	u64 hit[PAL_WORDS];

	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		u32 src;

		if (p >= cfg.np_task)
			break;
		src = cfg.plane[p].src;
		if (src == PAL_P_SCOPE)
			pal_scope_plane(cand, known, t, p, task);
		else if (src == PAL_P_BINARY)
			pal_binary_plane(cand, known, t, p);
		else
			pal_int_plane(cand, known, t, p, pal_task_value(src, cfg.plane[p].field), 1, hit);
		if (!pal_any(cand))
			return 0;
	}
	return 1;
}

/* ---- planes over scalar arguments ---- */

/* One plane over an integer; 0 when it leaves no candidate. A subprogram: dozens of planes cost the verifier no more than one. */
GLOBAL int pal_scalar_plane(u32 index, u32 plane)
{
	struct pal_scratch *s = pal_scratch_at(index);
	struct pal_tbl *t = pal_table();
	const volatile struct pal_plane *c = &cfg.plane[plane & PAL_PLANE_MASK];
	const volatile struct pal_slot *slot = &cfg.slot[c->slot & (PAL_SLOTS - 1)];
	volatile u64 *value, *is_known;
	u64 v = 0;

	if (!HAS_TYPE(PAL_T_INT) || !s || !t)
		return 0;
	value = &s->value; /* by way of memory: the verifier forgets how they came about */
	is_known = &s->is_known;
	*is_known = !pal_scalar(slot, pal_slot_word(s, slot), &v);
	*value = v;
	pal_int_plane(s->cand, s->known, t, plane, *value, *is_known != 0, s->hit);
	return pal_any(s->cand);
}

/* ---- planes over bytes in the record ---- */

/* Whether the slot could not be read yet, on a hook that has a second chance; then s->late says so. */
INLINE int pal_is_late(struct pal_scratch *s, u32 slot)
{
	if (!(cfg.feat & PAL_FEAT_LATE_MARK) || !(cfg.slot[slot & (PAL_SLOTS - 1)].flags & PAL_SF_LATE))
		return 0;
	if (!(s->faulted & (1u << (slot & 31))))
		return 0;
	s->late = 1;
	return 1;
}

INLINE void pal_key_forward(struct pal_scratch *s, u32 plane, u64 at, u64 len)
{
	u64 n = len > PAL_STR_MAX ? PAL_STR_MAX : len;

	BOUND(n, 255);
	BOUND(at, 32767);
	s->key.plen = 8 + 8 * n;
	s->key.plane = plane;
	pal_read(s->key.data, n, (u64)&s->rec[at]);
}

/*
 * The last bytes, in reverse, word by word from the end. It may read up to 248 bytes before the value: there the record's head and earlier
 * arguments are, and the key's length leaves them out.
 */
INLINE void pal_key_backward(struct pal_scratch *s, u32 plane, u64 at, u64 len)
{
	u32 words = cfg.plane[plane & PAL_PLANE_MASK].nlen;
	u64 n = len > PAL_SUFFIX_MAX ? PAL_SUFFIX_MAX : len;
	u64 end = at + len;

	if (n > words * 8)
		n = words * 8;
	s->key.plen = 8 + 8 * n;
	s->key.plane = plane;
	ROLLED for (u32 q = 0; q < PAL_SUFFIX_MAX / 8; q++) {
		u64 o;

		if (q >= words)
			break;
		o = end - 8 * (q + 1);
		BOUND(o, 65535);
		if (o > PAL_RECORD_MAX)
			break;
		*(u64 *)&s->key.data[q * 8] = __builtin_bswap64(*(u64 *)&s->rec[o]);
	}
}

/*
 * One plane over the bytes of a slot; 0 when it leaves no candidate, or when the call is to be decided later (s->late). It extracts the slot
 * if no plane before has, and if a candidate looks at it at all.
 */
GLOBAL int pal_string_plane(u32 index, u32 plane)
{
	struct pal_scratch *s = pal_scratch_at(index);
	struct pal_tbl *t = pal_table();
	const volatile struct pal_plane *c = &cfg.plane[plane & PAL_PLANE_MASK];
	u64 hit[PAL_WORDS] = {}, at, len;
	struct pal_str *v;
	u32 slot;

	if (!s || !t)
		return 0;
	if (!pal_plane_wanted(s->cand, t, plane))
		return 1;
	slot = c->slot & (PAL_SLOTS - 1);
	if (!(s->done & (1u << slot)))
		pal_extract(index, slot);
	if (pal_is_late(s, slot))
		return 0;
	at = s->dat[slot];
	len = s->len[slot];
	/* of a text that was cut off the beginning is known, and not the end */
	if ((s->unk | (c->kind == PAL_K_SUFFIX ? s->cut : 0)) & (1u << slot)) {
		pal_apply(s->cand, s->known, t, plane, NULL, 0);
		return pal_any(s->cand);
	}
	if (c->kind == PAL_K_SUFFIX)
		pal_key_backward(s, plane, at, len);
	else
		pal_key_forward(s, plane, at, len);
	v = PAL_LOOKUP(strs, &s->key);
	if (v) {
		int whole = c->kind == PAL_K_STR && v->klen == len;

		FOR_WORDS(w)
			hit[w] = v->pfx[w] | (whole ? v->eq[w] : 0);
	}
	pal_apply(s->cand, s->known, t, plane, hit, 1);
	return pal_any(s->cand);
}

#endif
