/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The maps of a node: one of each, pinned, shared by all hooks' programs and by the process table.
 */
#ifndef PALISADE_MAPS_H
#define PALISADE_MAPS_H

#include "base.h"

/* The generation. The loader writes it through a memory mapping, in one store. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, u32);
} active SEC(".maps");

/* cgroup id -> what the cgroup belongs to */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct pal_cgroup);
} cgrp SEC(".maps");

/* The process table: one record per process, at its group leader. */
#ifdef PAL_OLD
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct pal_proc);
} procs SEC(".maps");
#else
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pal_proc);
} procs SEC(".maps");
#endif

struct pal_bsets_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct pal_str_key));
	__uint(value_size, sizeof(struct pal_str));
};

/* bank -> executable paths of all binary sets */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct pal_bsets_inner);
} bsets SEC(".maps");

/* Records of execs, exits and enforcement: wakes the reader at once. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} crit SEC(".maps");

/* All other records: read on a timer, the reader is woken only when a quarter is full. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} tele SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PAL_COUNTERS);
	__type(key, u32);
	__type(value, struct pal_counters);
} cnt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pal_health);
} health SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pal_seq);
} seqs SEC(".maps");

struct pal_rate_key {
	u64 pod;
	u32 pol, pad;
};

/* (pod, policy) -> time at which the bucket would be full again, nanoseconds since boot */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct pal_rate_key);
	__type(value, u64);
} rate SEC(".maps");

/*
 * The seam between an execve entry that could not read its path and the late hook: hook << 32 | tid -> time of the mark. By hook, because
 * two entry hooks may both wait for the same call.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, u64);
} late SEC(".maps");

/* Executables that are never denied or killed, as long as they run outside pods. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct pal_exempt_key);
	__type(value, u32);
} exempt SEC(".maps");

/* tgid -> when the process and its image began; for parents and for execs by other threads than the leader */
struct pal_birth {
	u64 start, exec_ktime;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct pal_birth);
} procx SEC(".maps");

INLINE void pal_health_count(u32 what)
{
	u32 zero = 0;
	struct pal_health *h = bpf_map_lookup_elem(&health, &zero);

	if (h)
		h->c[what & (PAL_H_COUNT - 1)]++;
}

INLINE u32 pal_generation(void)
{
	u32 zero = 0;
	u32 *g = bpf_map_lookup_elem(&active, &zero);

	return g ? *(volatile u32 *)g : 0;
}

#endif
