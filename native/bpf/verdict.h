/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From surviving candidates to a verdict: the first selector of each policy acts, the most severe denial wins, a kill needs to be known.
 * Then everything that matched is counted, and what asks for an event is listed.
 */
#ifndef PALISADE_VERDICT_H
#define PALISADE_VERDICT_H

#include "planes.h"

#define PAL_SIGKILL 9
#define PAL_DENY_CLASSES 8
#define PAL_CAN_DENY (cfg.feat & (PAL_FEAT_RETURNS | PAL_FEAT_OVERRIDE))
#define PAL_SECOND 1000000000ull

/* Bit number of an isolated bit: de Bruijn multiplication. Opaque to the verifier, which compare chains are not. */
static const volatile u8 pal_bit_of[64] = {
	0,  1,	48, 2,	57, 49, 28, 3,	61, 58, 50, 42, 38, 29, 17, 4,	62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,	13, 8,	7,  6,
};

INLINE u32 pal_bit_number(u64 bit)
{
	barrier_var(bit); /* or clang counts the zeros of its own, with another table */
	return pal_bit_of[(bit * 0x03f79d71b4cb0a89ull) >> 58];
}

/* The lowest set bit of every policy's field. lsb, msb: first and last bit of each field. */
INLINE u64 pal_firsts(u64 x, u64 lsb, u64 msb)
{
	u64 clear = ~x;

	return x & (((clear & ~msb) + lsb) ^ (clear & msb));
}

/* Whom nothing is done to, although a selector matched. */
enum pal_exemption {
	PAL_EXEMPT_NONE,
	PAL_EXEMPT_UNKNOWN, /* from matches by unknown values only */
	PAL_EXEMPT_ALL,
};

/*
 * Executables of the node itself are exempt from enforcement: listed by inode and running outside of pods, or in the loader's own pod.
 */
INLINE enum pal_exemption pal_exemption_of(u32 cgflags)
{
	struct pal_proc *p = pal_proc_get(pal_current());
	struct pal_exempt_key key;

	if (!p || p->key.tgid == PAL_NOBODY)
		return PAL_EXEMPT_NONE;
	/*
	 * The runtime's init runs in the pod's cgroup before it becomes the container, and opens files on mounts that it has just detached
	 * (its own executable, the fifo that starts the container): paths that nobody can name. Those do not stop it; what it is known to
	 * open, and the program that it starts, are judged like all else in the pod.
	 */
	if ((cgflags & PAL_CG_POD) && !(cgflags & PAL_CG_SELF))
		return p->flags & PAL_PROC_HOST_MOUNTS ? PAL_EXEMPT_UNKNOWN : PAL_EXEMPT_NONE;
	key.dev = p->dev;
	key.ino = p->ino;
	return bpf_map_lookup_elem(&exempt, &key) ? PAL_EXEMPT_ALL : PAL_EXEMPT_NONE;
}

/* 1: the process dies. What was not done is counted and not told as done. */
INLINE int pal_kill(void)
{
	if (!bpf_send_signal(PAL_SIGKILL))
		return 1;
	pal_health_count(PAL_H_KILL_FAILED);
	return 0;
}

/* The error of the most severe class that a mask hits; 0 if none does. */
INLINE s32 pal_deny_error(const u64 *mask, const struct pal_tbl *t)
{
	ROLLED for (u32 c = 0; c < PAL_DENY_CLASSES; c++) {
		u64 hit = 0;

		FOR_WORDS(w)
			hit |= mask[w] & t->deny[c][w];
		if (hit)
			return t->err[c];
	}
	return 0;
}

/* Which bits of a word deny, whatever the error. */
INLINE u64 pal_denies(const struct pal_tbl *t, u32 w)
{
	return t->deny[0][w] | t->deny[1][w] | t->deny[2][w] | t->deny[3][w] | t->deny[4][w] | t->deny[5][w] | t->deny[6][w] | t->deny[7][w];
}

/*
 * Token bucket of a policy in a pod, one second deep, kept as the time at which it would be full again. Events only: verdicts are never
 * limited. Two CPUs may both take the last token; that is one event too many.
 */
INLINE int pal_rate_allows(u64 pod, const struct pal_sel *sel)
{
	struct pal_rate_key key = { .pod = pod, .pol = sel->pol };
	u64 now = bpf_ktime_get_boot_ns(), full = now;
	u64 *kept;

	if (!sel->events_per_s)
		return 1;
	kept = bpf_map_lookup_elem(&rate, &key);
	if (kept && *kept > now)
		full = *kept;
	full += PAL_SECOND / sel->events_per_s;
	if (full > now + PAL_SECOND)
		return 0;
	if (kept)
		*kept = full;
	else
		bpf_map_update_elem(&rate, &key, &full, BPF_ANY);
	return 1;
}

struct pal_outcome {
	u32 acts, f;
};

/* What one match does, or would in enforce mode, and its counters. */
INLINE void pal_act(struct pal_scratch *s, struct pal_tbl *t, u32 w, u64 bit, struct pal_counters *c, struct pal_outcome *o)
{
	int is_known = (s->known[w] & bit) != 0;
	int kills = (t->kill[w] & bit) != 0, denies = (s->denies[w] & bit) != 0;

	if (!is_known) {
		c->c[PAL_C_UNKNOWN]++;
		o->f |= PAL_MF_UNKNOWN;
	}
	if (!((t->kill[w] | s->denies[w] | t->wkill[w] | t->wdeny[w]) & bit))
		return;
	if (s->spared[w] & bit) {
		c->c[PAL_C_EXEMPT]++;
		o->f |= PAL_MF_EXEMPT;
		return;
	}
	/* what denies as well does not kill for an unknown value: the deny is enough */
	if (kills && (is_known || !denies)) {
		if (s->sig) {
			c->c[PAL_C_KILL]++;
			o->acts |= PAL_ACT_SIGKILL;
		}
	} else if (kills) {
		c->c[PAL_C_KILL_SUPPRESSED]++;
		o->f |= PAL_MF_KILL_SUPPRESSED;
	}
	if (denies && PAL_CAN_DENY) {
		c->c[PAL_C_DENY]++;
		o->acts |= PAL_ACT_OVERRIDE;
	}
	if ((t->wkill[w] & bit) && (is_known || !(t->wdeny[w] & bit))) {
		c->c[PAL_C_WOULD_KILL]++;
		o->acts |= PAL_ACT_WOULD_KILL;
		o->f |= PAL_MF_MONITOR;
	}
	if (t->wdeny[w] & bit) {
		c->c[PAL_C_WOULD_DENY]++;
		o->acts |= PAL_ACT_WOULD_DENY;
		o->f |= PAL_MF_MONITOR;
	}
}

INLINE void pal_list_match(struct pal_scratch *s, const struct pal_sel *sel, const struct pal_outcome *o)
{
	u32 i = s->nmatch & (PAL_SELECTORS - 1);

	s->match[i].pol = sel->pol;
	s->match[i].sel = sel->sel;
	s->match[i].acts = o->acts | PAL_ACT_POST;
	s->match[i].f = o->f;
	s->counter[i] = sel->cnt;
	s->nmatch++;
	s->cap |= sel->cap;
}

INLINE void pal_match_one(struct pal_scratch *s, struct pal_tbl *t, u32 w, u64 bit)
{
	u32 number = (w * 64 + pal_bit_number(bit)) & (PAL_SELECTORS - 1);
	struct pal_sel *sel = &t->sel[number];
	u32 index = sel->cnt;
	struct pal_counters *c = bpf_map_lookup_elem(&cnt, &index);
	struct pal_outcome o = {};

	if (!c)
		return;
	c->c[PAL_C_MATCH]++;
	pal_act(s, t, w, bit, c, &o);
	if (!(t->post[w] & bit)) {
		c->c[PAL_C_NOPOST]++;
		return;
	}
	if (!pal_rate_allows(s->pod, sel)) {
		c->c[PAL_C_RATE_LIMITED]++;
		return;
	}
	c->c[PAL_C_POST]++;
	pal_list_match(s, sel, &o);
}

/* Takes the lowest bit off s->cand and acts on it; 1 if there was none. A subprogram: verified once, not per turn of the loop. */
GLOBAL int pal_next_match(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);
	struct pal_tbl *t = pal_table();
	u64 x, bit;
	u32 w = 0;

	if (!s || !t)
		return 1;
	x = s->cand[0];
	if (!x && cfg.words > 1) {
		w = 1;
		x = s->cand[1];
	}
	if (!x && cfg.words > 2) {
		w = 2;
		x = s->cand[2];
	}
	if (!x && cfg.words > 3) {
		w = 3;
		x = s->cand[3];
	}
	if (!x)
		return 1;
	bit = x & -x;
	s->cand[w & 3] = x & ~bit;
	pal_match_one(s, t, w & 3, bit);
	return 0;
}

INLINE void pal_collect(u32 index)
{
	ROLLED for (u32 i = 0; i < PAL_SELECTORS; i++)
		if (pal_next_match(index))
			return;
}

/* Fills s->denies, and s->spared with the bits of those who would act on anybody else. */
INLINE u64 pal_spare(struct pal_scratch *s, struct pal_tbl *t)
{
	enum pal_exemption exemption;
	u64 any = 0;

	FOR_WORDS(w) {
		s->denies[w] = pal_denies(t, w);
		s->spared[w] = 0;
		any |= s->cand[w] & (t->kill[w] | s->denies[w] | t->wkill[w] | t->wdeny[w]);
	}
	if (!any)
		return 0;
	exemption = pal_exemption_of(s->cgflags);
	if (exemption != PAL_EXEMPT_NONE)
		FOR_WORDS(w)
			s->spared[w] = exemption == PAL_EXEMPT_ALL ? ~0ull : ~s->known[w];
	return any;
}

INLINE void pal_enforce(struct pal_scratch *s, struct pal_tbl *t)
{
	u64 acting[PAL_WORDS] = {}, kill = 0;

	if (!pal_spare(s, t))
		return;
	FOR_WORDS(w) {
		acting[w] = s->cand[w] & ~s->spared[w];
		kill |= acting[w] & (s->known[w] | ~s->denies[w]) & t->kill[w];
	}
	if (PAL_CAN_DENY)
		s->err = pal_deny_error(acting, t);
	if (kill && pal_kill())
		s->sig = PAL_SIGKILL;
}

/* Decides over s->cand: error and signal take effect, matches are counted and listed in s->match. */
GLOBAL int pal_decide(u32 index)
{
	struct pal_scratch *s = pal_scratch_at(index);
	struct pal_tbl *t = pal_table();
	struct pal_place place;

	if (!s || !t)
		return 0;
	pal_place_of(pal_current(), cfg.kflags, &place);
	s->cls = place.cls;
	s->cgflags = place.flags;
	s->cgid = place.cgid;
	s->pod = place.pod;
	FOR_WORDS(w)
		s->cand[w] = pal_firsts(s->cand[w], t->lsb[w], t->msb[w]);
	pal_enforce(s, t);
	pal_collect(index);
	return 0;
}

#endif
