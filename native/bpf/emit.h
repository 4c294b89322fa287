/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The record of a hook call: one for all policies that matched, with the arguments once. More than 16 matches go into further records
 * with the same head and arguments but for the sequence number, of which each record has its own: it is what a reader knows a record
 * that is sent again by. CPU, time and thread tell which records are of one call.
 */
#ifndef PALISADE_EMIT_H
#define PALISADE_EMIT_H

#include "verdict.h"

#define PAL_MAX_RECORDS (PAL_SELECTORS / PAL_MATCHES_PER_RECORD)
#define PAL_HEAD_AT (PAL_ARGS_AT - sizeof(struct pal_hookev))

_Static_assert(PAL_ARGS_AT == sizeof(struct pal_hookev) + PAL_MATCHES_PER_RECORD * sizeof(struct pal_match), "room for head and matches");

INLINE int pal_is_critical(const struct pal_scratch *s)
{
	return s->err || s->sig;
}

/* Everything of the head that does not depend on the list of matches. */
INLINE void pal_head_set(struct pal_scratch *s, struct pal_hookev *h, u32 generation)
{
	struct task_struct *t = pal_current();
	struct pal_proc *p = pal_proc_get(t);

	pal_hdr_set(&h->h, 0, PAL_KIND_HOOK, !pal_is_critical(s), generation, cfg.hook);
	pal_task_set(&h->t, t, p, s->cgid, s->cls);
	h->nargs = s->nargs;
	h->err = s->err;
	h->sig = s->sig;
	h->flags = s->flags | (p ? 0 : PAL_HV_NOPROC);
	h->pair = 0;
	h->kstack = h->ustack = -1;
}

GLOBAL int pal_count_lost(u32 index, u32 first, u32 n)
{
	struct pal_scratch *s = pal_scratch_at(index);

	if (!s)
		return 0;
	ROLLED for (u32 i = 0; i < PAL_MATCHES_PER_RECORD; i++) {
		u32 counter = s->counter[(first + i) & (PAL_SELECTORS - 1)];
		struct pal_counters *c;

		if (i >= n)
			break;
		c = bpf_map_lookup_elem(&cnt, &counter);
		if (c)
			c->c[PAL_C_LOST]++;
	}
	return 0;
}

/* Sends matches [first, first + n): the head moves up to the first of them, so that head, matches and arguments are neighbours. */
GLOBAL int pal_emit_part(u32 index, u32 first, u32 n)
{
	struct pal_scratch *s = pal_scratch_at(index);
	u64 bytes = n * sizeof(struct pal_match), from = first & (PAL_SELECTORS - 1);
	u64 at = PAL_HEAD_AT - bytes, list = PAL_ARGS_AT - bytes, len, end;
	struct pal_hookev *head;

	if (!s)
		return 0;
	head = (struct pal_hookev *)s->head;
	end = s->off;
	BOUND(bytes, 255);
	if (bytes > PAL_MATCHES_PER_RECORD * sizeof(struct pal_match) || end < PAL_ARGS_AT || end > PAL_RECORD_MAX)
		return 0;
	BOUND(list, 255);
	pal_read(&s->rec[list], bytes, (u64)&s->match[from]);
	len = end - at;
	head->h.len = len;
	head->nmatch = n;
	if (first)
		head->h.seq = pal_next_seq(!pal_is_critical(s));
	BOUND(at, 255);
	pal_read(&s->rec[at], sizeof(*head), (u64)head);
	BOUND(len, 65535);
	if (len > PAL_RECORD_MAX)
		return 0;
	if (pal_send(&s->rec[at], len, !pal_is_critical(s)))
		pal_count_lost(index, first, n);
	return 0;
}

GLOBAL int pal_emit(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);

	if (!s)
		return 0;
	pal_head_set(s, (struct pal_hookev *)s->head, pal_own_generation());
	ROLLED for (u32 r = 0; r < PAL_MAX_RECORDS; r++) {
		u32 first = r * PAL_MATCHES_PER_RECORD, n = s->nmatch;

		if (first >= n)
			break;
		n -= first;
		pal_emit_part(index, first, n > PAL_MATCHES_PER_RECORD ? PAL_MATCHES_PER_RECORD : n);
	}
	return 0;
}

#endif
