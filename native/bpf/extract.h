/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a word to a value: integers on the spot, everything else into the record by one global subprogram, which is verified once and
 * pruned by the mask of types that a hook uses.
 */
#ifndef PALISADE_EXTRACT_H
#define PALISADE_EXTRACT_H

#include "context.h"
#include "record.h"

#define PAL_STEP_DEREF 0x80000000u
#define PAL_STRING_MAX 4096
#define HAS_TYPE(t) (cfg.typemask & (1u << (t)))

/* Follows a chain of members: each step adds an offset, and reads the pointer found there if it says so. */
INLINE int pal_resolve(const volatile struct pal_slot *c, u64 *word)
{
	u64 at = *word;

	ROLLED for (u32 k = 0; k < PAL_STEPS; k++) {
		u32 step;

		if (k >= c->nsteps || k >= cfg.maxsteps)
			break;
		step = c->step[k];
		at += step & ~PAL_STEP_DEREF;
		if (step & PAL_STEP_DEREF) {
			u64 next = 0;

			if (pal_read(&next, sizeof(next), at))
				return -1;
			at = next;
		}
	}
	*word = at;
	return 0;
}

INLINE long pal_read_width(u64 *to, u32 width, u64 from, u32 user)
{
	u32 n = width == 8 ? 8 : width == 4 ? 4 : width == 2 ? 2 : 1;

	*to = 0;
	if (user)
		return bpf_probe_read_user(to, n, (const void *)from);
	return bpf_probe_read_kernel(to, n, (const void *)from);
}

/* The integer of a slot, extended to 64 bits as its type says. */
INLINE int pal_scalar(const volatile struct pal_slot *c, u64 word, u64 *value)
{
	u64 v = word;
	u32 shift;

	if (c->src == PAL_SRC_FIELD) {
		if (pal_read_width(&v, c->width, word + (c->step[0] & 0xffff), 0))
			return -1;
	} else {
		if (pal_resolve(c, &v))
			return -1;
		if ((c->flags & PAL_SF_DEREF) && pal_read_width(&v, c->width, v, c->flags & PAL_SF_USER))
			return -1;
	}
	shift = (64 - 8 * c->width) & 63;
	*value = c->flags & PAL_SF_SIGNED ? (u64)((s64)(v << shift) >> shift) : v << shift >> shift;
	return 0;
}

/* ---- arguments in the record ---- */

struct pal_open_arg {
	u64 at;	  /* offset of the pal_arg */
	u64 data; /* offset of its data */
};

/* Begins an argument at the end of the record; -1 if the record is full. */
INLINE int pal_arg_open(struct pal_scratch *s, struct pal_open_arg *a)
{
	u64 at = s->off;

	if (at < PAL_ARGS_AT || at > PAL_RECORD_MAX - PAL_STRING_MAX - 64)
		return -1;
	a->at = at;
	a->data = at + sizeof(struct pal_arg);
	return 0;
}

INLINE int pal_status_unknown(u32 type, u32 status)
{
	if (status == PAL_A_NULL)
		return type == PAL_T_FILE || type == PAL_T_PATH;
	return status == PAL_A_FAULT || status == PAL_A_UNREACHABLE || status == PAL_A_FULL;
}

INLINE void pal_slot_mark(struct pal_scratch *s, u32 slot, u32 type, u32 status)
{
	u32 bit = 1u << (slot & 31);

	s->done |= bit;
	if (pal_status_unknown(type, status))
		s->unk |= bit;
	if (status == PAL_A_FAULT)
		s->faulted |= bit;
}

/* Ends an argument: its value for filters is rec[value..value+len), its data in the record begins at a->data. */
INLINE void pal_arg_close(struct pal_scratch *s, const struct pal_open_arg *a, u32 slot, u32 type, u32 status, u64 value, u64 len)
{
	u64 at = a->at, end = value + len, room = value - a->data;
	struct pal_arg *h;

	BOUND(at, 32767);
	BOUND(end, 65535);
	if (end < PAL_RECORD_MAX + 8192)
		*(u64 *)&s->rec[end] = 0; /* no remains of other calls in the padding */
	h = (struct pal_arg *)&s->rec[at];
	h->slot = slot;
	h->type = type;
	h->status = status;
	h->f = 0;
	h->len = room + len;
	s->dat[slot & 31] = value;
	s->len[slot & 31] = len;
	s->off = at + sizeof(*h) + ((room + len + 7) & ~7ull);
	s->nargs++;
	pal_slot_mark(s, slot, type, status);
}

INLINE void pal_path_head_set(struct pal_scratch *s, u64 data, u32 mode, u32 flags)
{
	struct pal_path_head *p;

	BOUND(data, 32767);
	p = (struct pal_path_head *)&s->rec[data];
	p->mode = mode;
	p->flags = flags;
	p->rsvd = 0;
}

INLINE void pal_put_int(struct pal_scratch *s, const struct pal_open_arg *a, u32 slot, const volatile struct pal_slot *c)
{
	u64 v = 0, data = a->data;
	u32 status = pal_scalar(c, pal_slot_word(s, c), &v) ? PAL_A_FAULT : PAL_A_OK;

	BOUND(data, 32767);
	*(u64 *)&s->rec[data] = v;
	pal_arg_close(s, a, slot, PAL_T_INT, status, data, 8);
}

/* The address of a string slot; a tracepoint may hold it inline, at an offset told in the record, or as a pointer. */
INLINE int pal_string_address(const volatile struct pal_slot *c, u64 raw, u64 *address)
{
	u64 p = raw;

	if (c->src == PAL_SRC_FIELD) {
		u64 field = raw + (c->step[0] & 0xffff);
		u32 loc = 0;

		if (c->flags & PAL_SF_FIELD_ARRAY) {
			*address = field;
			return 0;
		}
		if (c->flags & PAL_SF_DATALOC) {
			if (pal_read(&loc, sizeof(loc), field))
				return -1;
			*address = raw + (loc & 0xffff);
			return 0;
		}
		return pal_read(address, sizeof(*address), field);
	}
	if (c->src == PAL_SRC_BPRM_FILENAME) {
		*address = (u64)BPF_CORE_READ((struct linux_binprm *)raw, filename);
		return 0;
	}
	if (pal_resolve(c, &p))
		return -1;
	if (c->flags & PAL_SF_DEREF)
		return pal_read(address, sizeof(*address), p);
	*address = p;
	return 0;
}

INLINE void pal_put_string(struct pal_scratch *s, const struct pal_open_arg *a, u32 slot, const volatile struct pal_slot *c)
{
	u64 data = a->data, address = 0, len = 0, room = PAL_STRING_MAX;
	u32 status = PAL_A_OK;
	long n;

	if ((c->flags & PAL_SF_FIELD_ARRAY) && c->max < PAL_STRING_MAX)
		room = c->max + 1; /* the array need not end with a NUL */
	BOUND(room, 8191);
	BOUND(data, 32767);
	if (pal_string_address(c, pal_slot_word(s, c), &address)) {
		status = PAL_A_FAULT;
	} else if (!address) {
		status = PAL_A_NULL;
	} else {
		if ((c->flags & PAL_SF_USER) && c->src != PAL_SRC_BPRM_FILENAME)
			n = bpf_probe_read_user_str(&s->rec[data], PAL_STRING_MAX, (const void *)address);
		else
			n = bpf_probe_read_kernel_str(&s->rec[data], room, (const void *)address);
		if (n <= 0)
			status = PAL_A_FAULT;
		else
			len = n - 1;
		if (len >= PAL_STRING_MAX - 1) {
			status = PAL_A_TRUNC;
			s->cut |= 1u << (slot & 31);
		}
	}
	BOUND(len, 4095);
	pal_arg_close(s, a, slot, PAL_T_STRING, status, data, len);
}

/* The struct path of a FILE or PATH slot, and the inode for its mode. */
INLINE int pal_path_address(const volatile struct pal_slot *c, u64 raw, u64 *path, u64 *dentry)
{
	u64 p = raw;

	if (pal_resolve(c, &p))
		return -1;
	if ((c->flags & PAL_SF_DEREF) && pal_read(&p, sizeof(p), p))
		return -1;
	if (p && c->type == PAL_T_FILE)
		p += bpf_core_field_offset(struct file, f_path);
	*path = p;
	if (p)
		*dentry = (u64)BPF_CORE_READ((struct path *)p, dentry);
	return 0;
}

INLINE void pal_put_path(struct pal_scratch *s, const struct pal_open_arg *a, u32 slot, const volatile struct pal_slot *c)
{
	u64 path = 0, dentry = 0, value = a->data + sizeof(struct pal_path_head), len = 0;
	u32 status = PAL_A_OK, flags = 0, mode = 0;

	BOUND(value, 32767);
	if (pal_path_address(c, pal_slot_word(s, c), &path, &dentry)) {
		status = PAL_A_FAULT;
	} else if (!path) {
		status = PAL_A_NULL;
	} else {
		u64 off;

		pal_walk_path(s, pal_current(), path);
		if (s->walk.done != PAL_WALK_ROOT)
			status = PAL_A_UNREACHABLE;
		len = pal_walk_len(s);
		off = s->walk.off;
		BOUND(off, 4095);
		pal_read(&s->rec[value], len, (u64)&s->walk_buf[off]);
		mode = BPF_CORE_READ((struct dentry *)dentry, d_inode, i_mode);
		if (!BPF_CORE_READ((struct dentry *)dentry, d_hash.pprev))
			flags = PAL_PATHF_DELETED;
	}
	pal_path_head_set(s, a->data, mode, flags);
	BOUND(len, 4095);
	pal_arg_close(s, a, slot, c->type, status, value, len);
}

/* Extracts a slot to the end of the record. */
GLOBAL int pal_extract(u32 index, u32 slot)
{
	struct pal_scratch *s = pal_scratch_at(index);
	const volatile struct pal_slot *c;
	struct pal_open_arg a;
	u64 i = slot;
	u32 type;

	if (!s)
		return 0;
	BOUND(i, 31);
	c = &cfg.slot[i];
	type = c->type;
	if (pal_arg_open(s, &a)) {
		pal_slot_mark(s, i, type, PAL_A_FULL);
		s->flags |= PAL_HV_TRUNC;
		return 0;
	}
	if (HAS_TYPE(PAL_T_INT) && type == PAL_T_INT)
		pal_put_int(s, &a, i, c);
	else if (HAS_TYPE(PAL_T_STRING) && type == PAL_T_STRING)
		pal_put_string(s, &a, i, c);
	else if ((HAS_TYPE(PAL_T_FILE) && type == PAL_T_FILE) || (HAS_TYPE(PAL_T_PATH) && type == PAL_T_PATH))
		pal_put_path(s, &a, i, c);
	else
		pal_slot_mark(s, i, type, PAL_A_FAULT);
	return 0;
}

#endif
