// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The programs of one hook: a permanent dispatcher, the engine instance of a bank, and a no-op that stands for "nothing" in a bank.
 *
 * The dispatcher reads the generation once and jumps; everything after that belongs to one generation. An empty slot allows and is counted:
 * a node must never stop because of us. Attach targets are set by the loader.
 */
#include "hook.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

INLINE void pal_dispatch(void *ctx)
{
	bpf_tail_call(ctx, &progs, pal_generation() & 1);
	pal_health_count(PAL_H_EMPTY_SLOT);
}

/* The kernel takes errors from -4095 to 0 only, and must see that. */
INLINE int pal_clamp(int err)
{
	s64 r = err;

	barrier_var(r);
	if (r >= 0)
		return 0;
	if (r < -4095)
		return -4095;
	return r;
}

SEC("lsm/file_open")
int disp_lsm(u64 *ctx)
{
	pal_dispatch(ctx);
	return 0;
}

SEC("lsm/file_open")
int eng_lsm(u64 *ctx)
{
	return pal_clamp(pal_hook(ctx, PAL_FRONT_TYPED));
}

SEC("lsm/file_open")
int noop_lsm(u64 *ctx)
{
	return 0;
}

SEC("fmod_ret/security_file_open")
int disp_fmod(u64 *ctx)
{
	pal_dispatch(ctx);
	return 0;
}

SEC("fmod_ret/security_file_open")
int eng_fmod(u64 *ctx)
{
	return pal_clamp(pal_hook(ctx, PAL_FRONT_TYPED));
}

SEC("fmod_ret/security_file_open")
int noop_fmod(u64 *ctx)
{
	return 0;
}

SEC("kprobe")
int disp_kp(struct pt_regs *ctx)
{
	pal_dispatch(ctx);
	return 0;
}

SEC("kprobe")
int eng_kp(struct pt_regs *ctx)
{
	pal_hook(ctx, PAL_FRONT_REGS);
	return 0;
}

/* Apart from eng_kp: most kernels do not know the helper, and refuse a program that names it. */
SEC("kprobe")
int eng_kp_ovr(struct pt_regs *ctx)
{
	int err = pal_clamp(pal_hook(ctx, PAL_FRONT_REGS));

	if (err)
		bpf_override_return(ctx, (u64)(s64)err);
	return 0;
}

SEC("kprobe")
int noop_kp(struct pt_regs *ctx)
{
	return 0;
}

SEC("tracepoint")
int disp_tp(void *ctx)
{
	pal_dispatch(ctx);
	return 0;
}

SEC("tracepoint")
int eng_tp(void *ctx)
{
	pal_hook(ctx, PAL_FRONT_RECORD);
	return 0;
}

SEC("tracepoint")
int noop_tp(void *ctx)
{
	return 0;
}

SEC("raw_tp/sys_enter")
int disp_rtp(u64 *ctx)
{
	pal_dispatch(ctx);
	return 0;
}

SEC("raw_tp/sys_enter")
int eng_rtp(u64 *ctx)
{
	pal_hook(ctx, PAL_FRONT_RAW);
	return 0;
}

SEC("raw_tp/sys_enter")
int noop_rtp(u64 *ctx)
{
	return 0;
}
