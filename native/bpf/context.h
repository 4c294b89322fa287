/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the words of a hook's arguments are: one way per kind of program. Loads from a context need constant offsets, which clang would
 * merge into a variable one; hence the inline assembly. The register number is rodata, so one load per use remains.
 */
#ifndef PALISADE_CONTEXT_H
#define PALISADE_CONTEXT_H

#include "hook-maps.h"

#if !defined(__TARGET_ARCH_x86)
#error "only x86-64 is supported: register offsets below"
#endif

enum pal_front {
	PAL_FRONT_TYPED,  /* LSM, fmod_ret: words with BTF types */
	PAL_FRONT_REGS,	  /* kprobe: struct pt_regs */
	PAL_FRONT_RAW,	  /* raw tracepoint: words */
	PAL_FRONT_RECORD, /* tracepoint: a record */
};

#define CTX_LOAD(v, ctx, off) asm volatile("%0 = *(u64 *)(%1 + " #off ")" : "=r"(v) : "r"(ctx))

INLINE u64 pal_ctx_word(void *ctx, u32 reg)
{
	u64 v = 0;

	if (reg == 0)
		CTX_LOAD(v, ctx, 0);
	else if (reg == 1)
		CTX_LOAD(v, ctx, 8);
	else if (reg == 2)
		CTX_LOAD(v, ctx, 16);
	else if (reg == 3)
		CTX_LOAD(v, ctx, 24);
	else if (reg == 4)
		CTX_LOAD(v, ctx, 32);
	else if (reg == 5)
		CTX_LOAD(v, ctx, 40);
	return v;
}

/* struct pt_regs of x86-64: di si dx cx r8 r9 */
INLINE u64 pal_ctx_reg(void *ctx, u32 reg)
{
	u64 v = 0;

	if (reg == 0)
		CTX_LOAD(v, ctx, 112);
	else if (reg == 1)
		CTX_LOAD(v, ctx, 104);
	else if (reg == 2)
		CTX_LOAD(v, ctx, 96);
	else if (reg == 3)
		CTX_LOAD(v, ctx, 88);
	else if (reg == 4)
		CTX_LOAD(v, ctx, 72);
	else if (reg == 5)
		CTX_LOAD(v, ctx, 64);
	return v;
}

/* System calls take their fourth argument in r10. */
INLINE u64 pal_syscall_word(u64 regs, u32 reg)
{
	u32 off = reg == 0 ? 112 : reg == 1 ? 104 : reg == 2 ? 96 : reg == 3 ? 56 : reg == 4 ? 72 : 64;
	u64 v = 0;

	pal_read(&v, sizeof(v), regs + off);
	return v;
}

INLINE u64 pal_word(void *ctx, const enum pal_front front, u32 reg)
{
	if (front == PAL_FRONT_RECORD)
		return (u64)ctx;
	if (cfg.feat & (PAL_FEAT_SYSCALL | PAL_FEAT_SYS_ENTER))
		return pal_syscall_word(front == PAL_FRONT_REGS ? pal_ctx_reg(ctx, 0) : pal_ctx_word(ctx, 0), reg);
	return front == PAL_FRONT_REGS ? pal_ctx_reg(ctx, reg) : pal_ctx_word(ctx, reg);
}

/* The word that a slot starts from. */
INLINE u64 pal_slot_word(void *ctx, const enum pal_front front, const volatile struct pal_slot *c)
{
	if (c->src == PAL_SRC_FIELD)
		return (u64)ctx;
	if (c->src == PAL_SRC_BPRM_FILENAME)
		return front == PAL_FRONT_TYPED || front == PAL_FRONT_RAW ? pal_ctx_word(ctx, c->reg) : 0;
	return pal_word(ctx, front, c->reg);
}

#endif
