/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the words of a hook's arguments are: one way per kind of program. Loads from a context need constant offsets, which clang would
 * merge into a variable one; hence the inline assembly. The register number is rodata, so one load per use remains.
 */
#ifndef PALISADE_CONTEXT_H
#define PALISADE_CONTEXT_H

#include "hook-maps.h"
#include "scratch.h"

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

/* A system call's entry holds its arguments behind a pointer to registers; the fourth is in r10. */
INLINE void pal_take_syscall_words(struct pal_scratch *s, u64 regs)
{
	pal_read(s->regs, sizeof(s->regs), regs + 56);
	s->words[0] = s->regs[7];
	s->words[1] = s->regs[6];
	s->words[2] = s->regs[5];
	s->words[3] = s->regs[0];
	s->words[4] = s->regs[2];
	s->words[5] = s->regs[1];
}

/*
 * Puts the words that the hook's slots start from into s. A typed pointer becomes a number there, which any subprogram may take.
 * Only words that exist may be loaded; regmask knows them.
 */
INLINE void pal_take_words(void *ctx, const enum pal_front front, struct pal_scratch *s)
{
	s->ctx = (u64)ctx;
	if (front == PAL_FRONT_RECORD)
		return;
	if (cfg.feat & PAL_FEAT_LATE_RUN) { /* bprm_creds_for_exec(bprm), sched_process_exec(task, pid, bprm) */
		s->bprm = pal_ctx_word(ctx, front == PAL_FRONT_RAW ? 2 : 0);
		return;
	}
	if (cfg.feat & (PAL_FEAT_SYSCALL | PAL_FEAT_SYS_ENTER)) {
		pal_take_syscall_words(s, front == PAL_FRONT_REGS ? pal_ctx_reg(ctx, 0) : pal_ctx_word(ctx, 0));
		return;
	}
	_Pragma("unroll") for (u32 i = 0; i < 6; i++)
		if (cfg.regmask & (1u << i))
			s->words[i] = front == PAL_FRONT_REGS ? pal_ctx_reg(ctx, i) : pal_ctx_word(ctx, i);
}

/* The word that a slot starts from. */
INLINE u64 pal_slot_word(const struct pal_scratch *s, const volatile struct pal_slot *c)
{
	u32 reg = c->reg;

	if (c->src == PAL_SRC_FIELD)
		return s->ctx;
	if (c->src == PAL_SRC_BPRM_FILENAME)
		return s->bprm;
	return reg < 6 ? s->words[reg] : 0;
}

#endif
