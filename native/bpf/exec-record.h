/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The exec record: head, then path, working directory and arguments, each padded to 8 bytes.
 */
#ifndef PALISADE_EXEC_RECORD_H
#define PALISADE_EXEC_RECORD_H

#include "record.h"

#define PAL_ARGS_MAX 8192
#define PAL_ARGS_CHUNK 2048

struct pal_node_cfg {
	u32 kflags, rsvd;
};

const volatile struct pal_node_cfg node_cfg SEC(".rodata.cfg");

INLINE struct pal_exec *pal_exec_head(struct pal_scratch *s)
{
	return (struct pal_exec *)s->rec;
}

INLINE void pal_exec_begin(struct pal_scratch *s, struct task_struct *t, const struct pal_proc *p)
{
	struct pal_exec *e = pal_exec_head(s);
	struct pal_place place;

	pal_place_of(t, node_cfg.kflags, &place);
	__builtin_memset(e, 0, sizeof(*e));
	pal_task_set(&e->t, t, p, place.cgid, place.cls);
	pal_read_cred(t, &e->c);
	for (u32 i = 0; i < PAL_NS_COUNT; i++)
		e->ns[i] = pal_namespace(t, i);
	e->auid = bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : (u32)-1;
	s->off = sizeof(*e);
	s->cls = place.cls;
}

/* Ends the variable part that began at `from` and is len bytes long: padding of zeros. */
INLINE void pal_exec_pad(struct pal_scratch *s, u64 from, u64 len)
{
	u64 end = from + len;

	BOUND(end, 32767);
	*(u64 *)&s->rec[end] = 0;
	s->off = (end + 7) & ~7ull;
}

INLINE void pal_exec_set_path(struct pal_scratch *s, const struct pal_proc *p)
{
	struct pal_exec *e = pal_exec_head(s);
	u64 at = s->off, len = p->path_len;

	BOUND(at, 4095);
	BOUND(len, 1023);
	pal_read(&s->rec[at], len, (u64)p->path);
	e->l_path = len;
	e->parent = p->parent;
	e->ino = p->ino;
	e->dev = p->dev;
	if (p->flags & PAL_PROC_PATH_UNKNOWN)
		e->flags |= PAL_EF_ERROR_PATH;
	pal_exec_pad(s, at, len);
}

INLINE void pal_exec_set_cwd(struct pal_scratch *s, struct task_struct *t)
{
	struct pal_exec *e = pal_exec_head(s);
	u64 at = s->off, fs = (u64)BPF_CORE_READ(t, fs), off, len;

	pal_walk_path(s, t, fs + bpf_core_field_offset(struct fs_struct, pwd));
	if (s->walk.done != PAL_WALK_ROOT)
		e->flags |= PAL_EF_ERROR_CWD;
	len = pal_walk_len(s);
	off = s->walk.off;
	BOUND(off, 4095);
	BOUND(at, 8191);
	pal_read(&s->rec[at], len, (u64)&s->walk_buf[off]);
	if (len == 1)
		e->flags |= PAL_EF_ROOT_CWD;
	e->l_cwd = len;
	pal_exec_pad(s, at, len);
}

/* The argument vector as it lies on the new stack. One unreadable page costs the rest, not the whole. */
INLINE void pal_exec_set_args(struct pal_scratch *s, struct task_struct *t)
{
	struct pal_exec *e = pal_exec_head(s);
	u64 from = BPF_CORE_READ(t, mm, arg_start), all = BPF_CORE_READ(t, mm, arg_end) - from;
	u64 at = s->off, got = 0;

	ROLLED for (u32 i = 0; i < PAL_ARGS_MAX / PAL_ARGS_CHUNK; i++) {
		u64 n = all - got, to = at + got;

		if (got >= all)
			break;
		if (n > PAL_ARGS_CHUNK)
			n = PAL_ARGS_CHUNK;
		BOUND(n, 4095);
		BOUND(to, 16383);
		if (bpf_probe_read_user(&s->rec[to], n, (const void *)(from + got))) {
			e->flags |= PAL_EF_ERROR_ARGS;
			break;
		}
		got += n;
	}
	if (got < all && !(e->flags & PAL_EF_ERROR_ARGS))
		e->flags |= PAL_EF_TRUNC_ARGS;
	e->l_args = got;
	BOUND(at, 16383);
	pal_exec_pad(s, at, got);
}

INLINE void pal_exec_set_binprm(struct pal_scratch *s, struct linux_binprm *bprm)
{
	struct pal_exec *e = pal_exec_head(s);

	e->nlink = BPF_CORE_READ(bprm, file, f_inode, i_nlink);
	e->secureexec = BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec);
	e->argc = BPF_CORE_READ(bprm, argc);
	e->envc = BPF_CORE_READ(bprm, envc);
}

INLINE u64 pal_exec_len(const struct pal_scratch *s)
{
	u64 len = s->off;

	BOUND(len, 32767);
	return len;
}

INLINE void pal_exec_send(struct pal_scratch *s, u32 generation)
{
	u64 len = pal_exec_len(s);

	pal_hdr_set(&pal_exec_head(s)->h, len, PAL_KIND_EXEC, 0, generation, 0);
	pal_send(s->rec, len, 0);
}

#endif
