/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The maps of one hook, and the configuration of one engine instance. Each outer map holds the tables of both banks; the loader makes the
 * inner ones with the size a generation needs.
 *
 * Rodata holds only what prunes code; what is data stays in maps, or the verifier follows every constant (engine-spec.md 2.1).
 */
#ifndef PALISADE_HOOK_MAPS_H
#define PALISADE_HOOK_MAPS_H

#include "maps.h"

const volatile struct pal_cfg cfg SEC(".rodata.cfg");

/* bank -> engine instance */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u32);
} progs SEC(".maps");

#define PAL_BANKED(name, inner)                                                                                                            \
	struct {                                                                                                                           \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                                                                  \
		__uint(max_entries, 2);                                                                                                    \
		__type(key, u32);                                                                                                          \
		__array(values, struct inner);                                                                                             \
	} name SEC(".maps")

struct pal_tbl_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct pal_tbl));
};

struct pal_ints_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct pal_int_key));
	__uint(value_size, sizeof(struct pal_mask));
};

struct pal_strs_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct pal_str_key));
	__uint(value_size, sizeof(struct pal_str));
};

struct pal_scope_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PAL_CLASSES);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct pal_mask));
};

struct pal_cols_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct pal_mask));
};

PAL_BANKED(tbl, pal_tbl_inner);
PAL_BANKED(ints, pal_ints_inner);
PAL_BANKED(strs, pal_strs_inner);
PAL_BANKED(scope, pal_scope_inner);
PAL_BANKED(cols, pal_cols_inner);

/* A row of this instance's bank, NULL if there is none. */
#define PAL_LOOKUP(outer, key)                                                                                                             \
	({                                                                                                                                 \
		u32 bank_ = cfg.bank;                                                                                                      \
		void *inner_ = bpf_map_lookup_elem(&outer, &bank_);                                                                        \
		inner_ ? bpf_map_lookup_elem(inner_, key) : NULL;                                                                          \
	})

INLINE struct pal_tbl *pal_table(void)
{
	u32 zero = 0;

	return PAL_LOOKUP(tbl, &zero);
}

/*
 * The generation this instance belongs to. A flip may have happened since the dispatcher read the word; then ours is the one before.
 */
INLINE u32 pal_own_generation(void)
{
	u32 g = pal_generation();

	return (g & 1) == cfg.bank ? g : g - 1;
}

#endif
