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

INLINE void pal_mask_plane(u64 *cand, u64 *known, struct pal_tbl *t, u32 plane, u64 v, int is_known)
{
	const volatile struct pal_plane *c = &cfg.plane[plane & PAL_PLANE_MASK];
	u64 hit[PAL_WORDS] = {};

	ROLLED for (u32 j = 0; j < PAL_MASK_CLASSES; j++) {
		struct pal_mask_class *k;

		if (j >= c->ncls)
			break;
		k = &t->cls[(c->cls0 + j) & (PAL_MASK_CLASSES - 1)];
		if (v & k->mask) {
			FOR_WORDS(w)
				hit[w] |= k->sel[w];
		}
	}
	pal_apply(cand, known, t, plane, hit, is_known);
}

INLINE void pal_int_plane(u64 *cand, u64 *known, struct pal_tbl *t, u32 plane, u64 v, int is_known)
{
	struct pal_int_key key = { .plane = plane, .v = v };

	if (cfg.plane[plane & PAL_PLANE_MASK].kind == PAL_K_MASK) {
		pal_mask_plane(cand, known, t, plane, v, is_known);
		return;
	}
	pal_apply(cand, known, t, plane, PAL_LOOKUP(ints, &key), is_known);
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
		key = ((u8 *)p->sets)[j];
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

INLINE void pal_capability_plane(u64 *cand, u64 *known, struct pal_tbl *t, u32 plane, struct task_struct *task)
{
	const volatile struct pal_plane *c = &cfg.plane[plane & PAL_PLANE_MASK];
	u64 v = pal_capabilities(task, c->src);

	/* capabilities "in a namespace" count outside of the host's user namespace only */
	if ((c->field & PAL_PF_NS_CAP) && pal_in_host_user_ns(task))
		v = 0;
	pal_int_plane(cand, known, t, plane, v, 1);
}

/* Returns 0 as soon as no candidate is left. */
INLINE int pal_task_planes(u64 *cand, u64 *known, struct pal_tbl *t)
{
	struct task_struct *task = pal_current();

	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		u32 src;

		if (p >= cfg.np_task)
			break;
		src = cfg.plane[p].src;
		if (src == PAL_P_SCOPE)
			pal_scope_plane(cand, known, t, p, task);
		else if (src == PAL_P_BINARY)
			pal_binary_plane(cand, known, t, p);
		else if (src == PAL_P_NS)
			pal_int_plane(cand, known, t, p, pal_namespace(task, cfg.plane[p].field), 1);
		else
			pal_capability_plane(cand, known, t, p, task);
		if (!pal_any(cand))
			return 0;
	}
	return 1;
}

/* ---- planes over scalar arguments ---- */

INLINE int pal_scalar_planes(void *ctx, const enum pal_front front, u64 *cand, u64 *known, struct pal_tbl *t)
{
	u64 v = 0;
	int is_known = 0;

	ROLLED for (u32 p = 0; p < PAL_PLANES; p++) {
		if (p >= cfg.np_scalar)
			break;
		if (p < cfg.np_task)
			continue;
		if (cfg.plane[p].first) {
			const volatile struct pal_slot *c = &cfg.slot[cfg.plane[p].slot & (PAL_SLOTS - 1)];

			is_known = !pal_scalar(c, pal_slot_word(ctx, front, c), &v);
		}
		pal_int_plane(cand, known, t, p, v, is_known);
		if (!pal_any(cand))
			return 0;
	}
	return 1;
}

/* ---- planes over bytes in the record ---- */

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

INLINE void pal_string_plane(struct pal_scratch *s, struct pal_tbl *t, u32 plane, u32 slot)
{
	u64 at = s->dat[slot & 31], len = s->len[slot & 31];
	u64 hit[PAL_WORDS] = {};
	struct pal_str *v;

	if (s->unk & (1u << (slot & 31))) {
		pal_apply(s->cand, s->known, t, plane, NULL, 0);
		return;
	}
	if (cfg.plane[plane & PAL_PLANE_MASK].kind == PAL_K_SUFFIX)
		pal_key_backward(s, plane, at, len);
	else
		pal_key_forward(s, plane, at, len);
	v = PAL_LOOKUP(strs, &s->key);
	if (v) {
		int whole = cfg.plane[plane & PAL_PLANE_MASK].kind == PAL_K_STR && v->klen == len;

		FOR_WORDS(w)
			hit[w] = v->pfx[w] | (whole ? v->eq[w] : 0);
	}
	pal_apply(s->cand, s->known, t, plane, hit, 1);
}

#endif
