/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The layouts that the BPF engine, the loader (Rust) and the agent (TypeScript)
 * share. Little endian, natural alignment; every size and every offset that
 * another language relies on is asserted at the end. The mirrors in
 * native/loader/src/abi.rs and src/abi/ are generated from this file's facts
 * and verified by the build.
 *
 * Words: a SLOT is one extracted value of a hook, a PLANE is one lookup that
 * turns a value into a mask of selectors, a BANK is generation & 1, a SET is a
 * node-wide binary set (a bit in the process record), a CLASS is the node-wide
 * number of an equivalence class of pods.
 */
#ifndef PALISADE_ABI_H
#define PALISADE_ABI_H

#ifndef __VMLINUX_TYPES__ /* BPF side brings its own integer types */
#include <stdint.h>
#include <stddef.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
#endif

#define PAL_ABI_VERSION 1
#define PAL_LAYOUT_VERSION 1 /* pin directory v<layout> */

#define PAL_WORDS 4	    /* 64-bit words of a selector mask, at most */
#define PAL_SELECTORS 256   /* PAL_WORDS * 64 */
#define PAL_PLANES 64
#define PAL_SLOTS 32
#define PAL_STEPS 10
#define PAL_CLASSES 2048    /* scope classes */
#define PAL_MASK_CLASSES 256
#define PAL_STR_MAX 255	    /* bytes of one string key */
#define PAL_SUFFIX_MAX 248
#define PAL_PATH_MAX 4096
#define PAL_RECORD_MAX 32768
#define PAL_COUNTERS 4096   /* entries of cnt */
#define PAL_SET_WORDS 4	    /* 256 binary sets */
#define PAL_EXE_PATH_MAX 1024
#define PAL_PODNAME_MAX 80

/* ---- argument types (pal_slot.type); numbers are stable ---- */
enum pal_type {
	PAL_T_NONE = 0,
	PAL_T_INT = 1,	    /* any integer: width and sign are in the slot */
	PAL_T_STRING = 2,   /* char *, user or kernel by flag */
	PAL_T_FILE = 3,	    /* struct file * */
	PAL_T_PATH = 4,	    /* struct path * */
	/* Linked and modelled; no engine reads them yet (see "The language in full"). */
	PAL_T_FILENAME = 5, /* struct filename * */
	PAL_T_DENTRY = 6,
	PAL_T_FD = 7,	    /* number of an open file */
	PAL_T_KIOCB = 8,
	PAL_T_BPRM = 9,	    /* struct linux_binprm * */
	PAL_T_BUFFER = 10,  /* bytes with a size: size_slot */
	PAL_T_CHAR_IOVEC = 11,
	PAL_T_IOV_ITER = 12,
	PAL_T_NET_DEVICE = 13,
	PAL_T_SOCKADDR_UN = 14,
	PAL_T_SOCK = 15,
	PAL_T_SOCKET = 16,
	PAL_T_SKB = 17,
	PAL_T_SOCKADDR = 18,
	PAL_T_CAPS = 19,    /* kernel_cap_t by value or by pointer */
	PAL_T_CAP_EFF = 20, /* a set of a struct cred * */
	PAL_T_CAP_PRM = 21,
	PAL_T_CAP_INH = 22,
	PAL_T_CRED = 23,
	PAL_T_USER_NS = 24,
	PAL_T_CONST_BUF = 25,
	PAL_T_BPF_ATTR = 26,
	PAL_T_BPF_MAP = 27,
	PAL_T_BPF_PROG = 28,
	PAL_T_PERF_EVENT = 29,
	PAL_T_LOAD_INFO = 30,
	PAL_T_MODULE = 31,  /* the last: pal_cfg.typemask has 32 bits */
};

/* ---- where a slot's raw word comes from (pal_slot.src) ---- */
enum pal_slot_src {
	PAL_SRC_ARG = 0,    /* reg = index of a context word or of a register argument */
	PAL_SRC_FIELD = 1,  /* cooked tracepoint field: step[0] = offset in the record */
	PAL_SRC_BPRM_FILENAME = 2, /* late execve: bprm->filename */
	PAL_SRC_RETURN = 3, /* what the function returns */
	PAL_SRC_TASK = 4,   /* the current task's struct */
	PAL_SRC_REGISTER = 5, /* reg = register of pt_regs, by its offset / 8 */
	PAL_SRC_PROBE_ARG = 6, /* reg = argument of a usdt, decoded by the loader */
};

#define PAL_SF_USER (1 << 0)	/* pointer into user memory */
#define PAL_SF_SIGNED (1 << 1)
#define PAL_SF_DPATH (1 << 2)	/* bpf_d_path on a typed context argument (loader clears it where the verifier refuses) */
#define PAL_SF_DEREF (1 << 3)
#define PAL_SF_DATALOC (1 << 4) /* tracepoint __data_loc: low 16 bit offset, high 16 length */
#define PAL_SF_LATE (1 << 5)	/* execve path: a fault marks the call, decided in bprm_creds_for_exec */
#define PAL_SF_FIELD_ARRAY (1 << 6) /* tracepoint: char array stored inline in the record, width bytes in max */
#define PAL_SF_RETURN_COPY (1 << 7) /* pointer taken at entry, bytes read when the function returns */
#define PAL_NO_SIZE_SLOT 0xff
#define PAL_SYSCALL_32BIT 0x80000000 /* in the value of a syscall64 argument: a call of a 32-bit program, and its number */

struct pal_slot { /* 56 bytes */
	u8 type, src, reg, nsteps;
	u8 size_slot, flags;
	u8 width, cls;	    /* width 1,2,4,8; cls 0 scalar, 1 memory */
	u32 max;
	u32 rsvd;
	u32 step[PAL_STEPS];
};

/* ---- planes ---- */
enum pal_plane_src {
	PAL_P_SCOPE = 1,    /* pod class -> scope table */
	PAL_P_BINARY = 2,   /* columns of pal_proc.sets */
	PAL_P_CAP_EFF = 3,
	PAL_P_CAP_PRM = 4,
	PAL_P_CAP_INH = 5,
	PAL_P_NS = 6,	    /* pal_plane.field = pal_ns number */
	PAL_P_SLOT = 7,	    /* pal_plane.slot */
	PAL_P_PID = 8,	    /* thread group id */
	PAL_P_NS_PID = 9,   /* the same in the innermost pid namespace; 0 in that of the host */
	PAL_P_PARENT = 10,  /* sets of the parent */
	PAL_P_FOLLOW = 11,  /* sets of the executables of the process and all its ancestors */
	PAL_P_PARENT_FOLLOW = 12, /* the same of all its ancestors */
	PAL_P_NS_CHANGED = 13, /* bit PAL_NS_*: this namespace is another one than at exec */
	PAL_P_CAP_NEW_EFF = 14, /* capabilities that were gained or lost since exec */
	PAL_P_CAP_NEW_PRM = 15,
	PAL_P_CAP_NEW_INH = 16,
	PAL_P_CEL = 17,	    /* field = number of the expression, ncls = its nodes */
	PAL_P_FOLLOW_PID = 18, /* sets of the ids of the process and all its ancestors */
	PAL_P_FOLLOW_NS_PID = 19, /* the same of the ids in the innermost pid namespace; none in that of the host */
};
enum pal_plane_kind {
	PAL_K_SCOPE = 1,
	PAL_K_COL = 2,
	PAL_K_HASH = 3,	    /* ints_H */
	PAL_K_MASK = 4,	    /* classes [cls0, cls0+ncls) of pal_tbl.cls: hit if v & mask */
	PAL_K_STR = 5,	    /* strs_H: Equal, In, Prefix */
	PAL_K_SUFFIX = 6,   /* strs_H with reversed bytes: Postfix */
	PAL_K_RANGE = 7,    /* rng_H */
	PAL_K_GAIN = 8,	    /* two slots, slot and field: the second has a bit that the first has not */
	PAL_K_AC = 9,	    /* ac_H: SubString; root state = cls0 | ncls << 8, byte classes = row nlen of accls_H */
	PAL_K_ADDR = 10,    /* addr_H */
	PAL_K_CEL = 11,	    /* cel_H */
	PAL_K_XCOL = 12,    /* xcols_H: ncls columns from cls0 on, for the bytes of the sets from nlen on */
};
/* pal_plane.field of a plane over a slot: which part of the value */
enum pal_field {
	PAL_F_VALUE = 0,
	PAL_F_FILE_TYPE = 1, /* i_mode >> 12 */
	PAL_F_FAMILY = 2,
	PAL_F_PROTOCOL = 3,
	PAL_F_STATE = 4,
	PAL_F_SPORT = 5,
	PAL_F_DPORT = 6,
	PAL_F_SADDR = 7,
	PAL_F_DADDR = 8,
};
#define PAL_PF_NS_CAP 1	    /* field bit of a capability plane: hit only outside the host user namespace */

enum pal_ns { /* index into ns[] of records; order of upstream's namespaces message */
	PAL_NS_UTS = 0, PAL_NS_IPC, PAL_NS_MNT, PAL_NS_PID, PAL_NS_PID_FOR_CHILDREN,
	PAL_NS_NET, PAL_NS_TIME, PAL_NS_TIME_FOR_CHILDREN, PAL_NS_CGROUP, PAL_NS_USER,
	PAL_NS_COUNT,
};

struct pal_plane { /* 8 bytes; nlen = longest suffix in 8-byte words for K_SUFFIX, further chunks of the longest value for K_STR */
	u8 src, slot, kind, field, first, ncls, cls0, nlen;
};

/* ---- hook configuration: rodata of one engine instance ---- */
#define PAL_FEAT_OVERLAY_FILTER (1 << 0) /* file hooks: drop overlayfs inner opens */
#define PAL_FEAT_LATE_MARK (1 << 1)	 /* execve entry that may leave the decision to the late hook */
#define PAL_FEAT_LATE_RUN (1 << 2)	 /* the late hook: runs only for marked calls */
#define PAL_FEAT_SYSCALL (1 << 3)	 /* arguments behind pt_regs* (syscall wrapper) */
#define PAL_FEAT_SYS_ENTER (1 << 4)	 /* raw_tp sys_enter: only syscall number cfg.sysno */
#define PAL_FEAT_RETURNS (1 << 5)	 /* program type's return value is the verdict (LSM, fmod_ret) */
#define PAL_FEAT_OVERRIDE (1 << 6)	 /* kprobe may call bpf_override_return */
#define PAL_FEAT_CHAIN (1 << 7)		 /* strings longer than one key: pal_str.next */
#define PAL_FEAT_AC (1 << 8)
#define PAL_FEAT_CEL (1 << 9)
#define PAL_FEAT_ACTS (1 << 10)		 /* struct pal_acts is in use */
#define PAL_FEAT_FRAMES (1 << 11)	 /* entry: selectors of pal_acts.ret leave a frame for the return */
#define PAL_FEAT_RETURN_RUN (1 << 12)	 /* the companion that runs at the return, over the frame's selectors */

struct pal_cfg { /* section .rodata.cfg, offset 0; holds only what prunes code */
	u32 abi, hook, bank, words;	  /* 0 */
	u32 np_task, np_scalar, np_mem;	  /* 16: planes [0,np_task) [np_task,np_scalar) [np_scalar,np_mem) */
	u32 nslots, regmask, typemask, maxsteps, ncol; /* 28 */
	u32 feat, kflags;		  /* 48; kflags: pal_kflags, set by the loader */
	s32 sysno;			  /* 56 */
	u32 rsvd;			  /* 60 */
	struct pal_plane plane[PAL_PLANES]; /* 64 */
	struct pal_slot slot[PAL_SLOTS];    /* 576 */
}; /* 2368 */

#define PAL_KF_TASK_STORAGE (1 << 0)
#define PAL_KF_CGROUP_V1 (1 << 1)

/* ---- table: data of one hook and bank ---- */
struct pal_plane_tbl { u64 dc[PAL_WORDS], inv[PAL_WORDS], unk[PAL_WORDS]; }; /* 96 */

/* actions of a selector, for the record's match list and the counters */
#define PAL_ACT_POST (1 << 0)
#define PAL_ACT_NOPOST (1 << 1)
#define PAL_ACT_SIGKILL (1 << 2)
#define PAL_ACT_OVERRIDE (1 << 3)
#define PAL_ACT_WOULD_KILL (1 << 4) /* monitor mode */
#define PAL_ACT_WOULD_DENY (1 << 5)
#define PAL_ACT_SIGNAL (1 << 6)
#define PAL_ACT_TRACK_SOCK (1 << 7)
#define PAL_ACT_UNTRACK_SOCK (1 << 8)
#define PAL_ACT_NOTIFY_ENFORCER (1 << 9)
#define PAL_ACT_CLEANUP_ENFORCER (1 << 10)
#define PAL_ACT_GET_URL (1 << 11)
#define PAL_ACT_DNS_LOOKUP (1 << 12)
#define PAL_ACT_SET (1 << 13)
#define PAL_ACT_SET_REGISTERS (1 << 14)
#define PAL_ACT_REDIRECT (1 << 15)

struct pal_sel { /* 24 bytes */
	u16 pol, sel;	    /* node-wide policy number, selector index in the hook of that policy */
	u32 cap;	    /* slots to capture for the event */
	u16 acts, f;	    /* PAL_ACT_* as written in the policy, last executed wins in the agent */
	u32 cnt;	    /* index into cnt */
	u32 events_per_s;   /* per pod and policy; 0 = no limit */
	u32 rsvd;
};

struct pal_mask_class { u64 mask; u64 sel[PAL_WORDS]; }; /* 40 */

struct pal_tbl { /* one per hook and bank */
	u64 all[PAL_WORDS], lsb[PAL_WORDS], msb[PAL_WORDS]; /* 0,32,64: selectors; first/last bit of each policy's field */
	u64 kill[PAL_WORDS];	    /* 96 */
	u64 deny[8][PAL_WORDS];	    /* 128: classes, most severe first; err[] gives the errno */
	u64 post[PAL_WORDS];	    /* 384 */
	u64 wkill[PAL_WORDS], wdeny[PAL_WORDS]; /* 416,448: monitor mode ("would") */
	s32 err[8];		    /* 480: negative errno */
	struct pal_plane_tbl pl[PAL_PLANES];	/* 512 */
	u64 need[PAL_SLOTS][PAL_WORDS];		/* 6656: selectors that need slot i */
	struct pal_sel sel[PAL_SELECTORS];	/* 7680 */
	struct pal_mask_class cls[PAL_MASK_CLASSES]; /* 13824 */
}; /* 24064 */

/* ---- keys and values of the set maps ---- */
struct pal_int_key { u32 plane, pad; u64 v; };			/* 16 -> u64[PAL_WORDS] */
struct pal_str_key { u32 plen; u8 plane; u8 data[PAL_STR_MAX]; }; /* 260; LPM: plen = 8 + 8*len */
struct pal_str { u32 klen, next; u64 pfx[PAL_WORDS], eq[PAL_WORDS]; }; /* 72: pfx = OR of all shorter prefixes and itself */
/* hit(value) = node.pfx | (node.klen == len(value) ? node.eq : 0). For K_SUFFIX only pfx counts, bytes reversed.
 * bsets uses the same key (plane 0) and value; eq is u64 sets[4], pfx is for prefix sets. */
struct pal_mask { u64 w[PAL_WORDS]; };				/* 32: value of ints_H, scope_H, cols_H */

/* ---- The language in full ----
 * Maps of what the language has and no engine reads yet. A hook that needs one is refused by bind (NotInEngine), so the loader never gets
 * them; the linker makes them and a model of the engine walks them. They stand beside pal_cfg and pal_tbl, whose layouts stay.
 *
 * A value may be known not to be there (a file descriptor that is not open, a pid in no namespace): then cand &= dc, known &= dc.
 * A lineage may be known in part: what hits is a hit, what does not is unknown: cand &= (hit & ~inv) | (~hit & unk) | dc, known the same
 * without unk. */
#define PAL_RANGE_KEY_BITS 64
struct pal_rng_key { u32 plen; u32 plane; u8 v[8]; };		/* 16 -> pal_mask; LPM: plen = 32 + bits; v big endian, top bit flipped if the slot is SIGNED */
#define PAL_ADDR_MAX 16
struct pal_addr_key { u32 plen; u16 plane, family; u8 addr[PAL_ADDR_MAX]; }; /* 24 -> pal_addr; LPM: plen = 32 + bits; family 4 or 6 */
/* An IPv4-mapped IPv6 address is looked up as its IPv4 address. hit = those with a network around the address; fam = those that name networks of this family at all. cand &= ((hit ^ inv) & fam) | dc;
 * every family that a plane knows has a row of 0 bits. */
struct pal_addr { u64 hit[PAL_WORDS], fam[PAL_WORDS]; };	/* 64 */
#define PAL_AC_CLASSES 64   /* byte classes of one automaton; class 0 = bytes that no value has */
#define PAL_AC_STATES 32766
#define PAL_AC_OUT 0x8000   /* in next: the state that it leads to has outputs */
struct pal_ac_state { u16 next[PAL_AC_CLASSES]; u64 out[PAL_WORDS]; }; /* 160; u32 state -> */
struct pal_ac_classes { u8 cls[256]; };				/* u32 automaton -> */
#define PAL_CEL_NODES 32
#define PAL_CEL_EXPRESSIONS 8
/* Postfix order: left and right are nodes before this one, the last is the root. Values are 64 bit, sign- or zero-extended from the
 * node's type. The expression is unknown as soon as one of its slots is, and does not hold if one is absent. */
enum pal_cel_op {
	PAL_CEL_ARG = 1,    /* left = slot */
	PAL_CEL_LITERAL = 2,
	PAL_CEL_CONVERT = 3, PAL_CEL_NEGATE = 4, PAL_CEL_INVERT = 5, PAL_CEL_NOT = 6,
	PAL_CEL_ADD = 7, PAL_CEL_SUBTRACT = 8, PAL_CEL_AND = 9, PAL_CEL_OR = 10, PAL_CEL_XOR = 11,
	PAL_CEL_ALL = 12, PAL_CEL_ANY = 13,
	PAL_CEL_EQUAL = 14, PAL_CEL_UNEQUAL = 15, PAL_CEL_LESS = 16, PAL_CEL_LESS_OR_EQUAL = 17,
};
enum pal_cel_type { PAL_CEL_BOOL = 1, PAL_CEL_INT32 = 2, PAL_CEL_UINT32 = 3, PAL_CEL_INT64 = 4, PAL_CEL_UINT64 = 5 };
struct pal_cel_node { u8 op, type, left, right; u32 rsvd; u64 v; }; /* 16; u32 expression * PAL_CEL_NODES + node -> */

/* Node-wide sets of a process are found by path (bsets: plane 0 exact and prefix, plane 1 reversed bytes for postfix) and by thread group
 * id (psets, read at fork; ids of another space are other keys). Those in `follow` pass on: at fork the child's fsets = follow & (the
 * parent's sets | the parent's fsets), and at exec the process's own fsets |= follow & its sets. */
enum pal_pid_space { PAL_PID_HOST = 0, PAL_PID_INNERMOST = 1 };
struct pal_pid_key { u32 pid, space; };				/* 8; psets: -> pal_mask of sets */
#define PAL_BSETS_FORWARD 0
#define PAL_BSETS_REVERSED 1

/* What selectors do besides events, denial and SIGKILL: acts_H, one per hook and bank. */
enum pal_do {
	PAL_DO_TRACK_SOCK = 1, /* slot */
	PAL_DO_UNTRACK_SOCK = 2, /* slot */
	PAL_DO_NOTIFY_ENFORCER = 3, /* a = errno, b = signal; 0: none */
	PAL_DO_CLEANUP_ENFORCER = 4,
	PAL_DO_SET = 5,	    /* slot, a = value */
	PAL_DO_SET_REGISTERS = 6, /* a = position among the selector's actions: the loader knows the program's addresses */
	PAL_DO_REDIRECT = 7, /* the same */
	PAL_DO_GET_URL = 8, /* the same; the agent does it */
	PAL_DO_DNS_LOOKUP = 9, /* the same; the agent does it */
};
#define PAL_DOES 8
struct pal_act { u8 type, slot; u16 rsvd; s32 a, b; };		/* 12; type 0: none */
enum pal_rate_scope { PAL_RATE_THREAD = 0, PAL_RATE_PROCESS = 1, PAL_RATE_GLOBAL = 2 };
#define PAL_POST_KERNEL_STACK (1 << 0)
#define PAL_POST_USER_STACK (1 << 1)
#define PAL_POST_IMA_HASH (1 << 2)
struct pal_sel_acts { u32 rate_ms; u8 rate_scope, post; u16 rsvd; struct pal_act act[PAL_DOES]; }; /* 104 */
#define PAL_SIGNAL_CLASSES 8
struct pal_acts {
	u64 sig[PAL_SIGNAL_CLASSES][PAL_WORDS];	/* 0: smallest signal first */
	u32 signo[PAL_SIGNAL_CLASSES];		/* 256 */
	u64 wsig[PAL_WORDS];			/* 288: monitor mode */
	u64 spare[PAL_WORDS];			/* 320: those that deny, here or in an enforcer: no signal by an unknown value */
	u64 ret[PAL_WORDS];			/* 352: those that leave a frame for the return */
	struct pal_sel_acts sel[PAL_SELECTORS];	/* 384 */
}; /* 27008 */

/* ---- identity ---- */
#define PAL_CLASS_HOST 0
#define PAL_CLASS_UNKNOWN 1
#define PAL_CLASS_PENDING 2
#define PAL_CLASS_FIRST 3

#define PAL_CG_ROOT (1 << 0) /* kubepods itself or a QoS level: children are pods */
#define PAL_CG_POD (1 << 1)  /* pod level or below */
#define PAL_CG_SELF (1 << 2) /* the loader's own pod */
struct pal_cgroup { u32 cls, flags; u64 pod; }; /* 16: pod = cgroup id of the pod level, 0 if none */
struct pal_podname { char name[PAL_PODNAME_MAX]; }; /* key of podnames: directory name, zero padded -> u32 class */
struct pal_exempt_key { u64 dev, ino; };

struct pal_key { u64 exec_ktime; u32 tgid, flags; }; /* 16 */

#define PAL_PROC_EXEC_PENDING (1 << 0)
#define PAL_PROC_EXEMPT (1 << 1) /* executable is on the exempt list */
#define PAL_PROC_FROM_ITER (1 << 2)
#define PAL_PROC_PATH_UNKNOWN (1 << 3)
#define PAL_PROC_HOST_MOUNTS (1 << 4) /* exec'd in the mount namespace of pid 1 */
struct pal_proc { /* task storage of the group leader; hash by tgid on old kernels */
	struct pal_key key, parent;	/* 0,16 */
	u64 start_boottime;		/* 32 */
	/* By bank, as two generations look at a process at the same time around a flip: the generation for which the sets were computed, 0
	 * while they change. It stands before them, so that a copy made meanwhile has no newer number than sets. */
	u32 set_gen[2];			/* 40 */
	u64 sets[2][PAL_SET_WORDS];	/* 48 */
	u64 ino, dev;			/* 112 */
	u32 flags, exec_seq, path_len, rsvd; /* 128 */
	char path[PAL_EXE_PATH_MAX];	/* 144 */
}; /* 1168 */

/* ---- records: every len is a multiple of 8, at most 32 KiB ---- */
enum pal_kind {
	PAL_KIND_EXEC = 1, PAL_KIND_EXIT = 2, PAL_KIND_CLONE = 3, PAL_KIND_HOOK = 4,
	PAL_KIND_LOSS = 6, PAL_KIND_ALARM = 7, PAL_KIND_CGROUP = 8,
};
#define PAL_HF_TELEMETRY (1 << 0) /* which ring: set on records of tele; seq counts per CPU and ring */
struct pal_hdr { u32 len; u8 kind, flags; u16 cpu; u64 seq, ktime; u32 gen, hook; }; /* 32 */

struct pal_task { /* 48 */
	struct pal_key key;
	u64 start;
	u32 tid, nstgid;
	u64 cgid;
	u32 uid, cls;
};
struct pal_cred { /* 80 */
	u32 uid, gid, euid, egid, suid, sgid, fsuid, fsgid, secbits, pad;
	u64 prm, eff, inh;
	s32 ns_level; u32 ns_uid, ns_gid, ns_inum;
};

#define PAL_EF_PROCFS (1 << 0)	 /* existed before the engine */
#define PAL_EF_TRUNC_ARGS (1 << 1)
#define PAL_EF_ERROR_ARGS (1 << 2)
#define PAL_EF_LATE (1 << 3)
#define PAL_EF_ERROR_PATH (1 << 4)
#define PAL_EF_ERROR_CWD (1 << 5)
#define PAL_EF_ROOT_CWD (1 << 6)
struct pal_exec {
	struct pal_hdr h;		/* 0 */
	struct pal_task t;		/* 32 */
	struct pal_key parent, old;	/* 80, 96: old = image replaced by this exec */
	struct pal_cred c;		/* 112 */
	u32 ns[10];			/* 192 */
	u64 ino, dev;			/* 232, 240 */
	u32 nlink, secureexec, auid, flags; /* 248 */
	u16 l_path, l_cwd; u32 l_args, l_env, argc, envc, rsvd; /* 264 */
}; /* 288, then path | cwd | args (NUL separated) | env, each padded to 8 */

struct pal_exit { struct pal_hdr h; struct pal_task t; struct pal_key parent; u32 code, sig; u64 utime, stime; }; /* 120 */
struct pal_clone { struct pal_hdr h; struct pal_task t; struct pal_key parent; u64 cflags; }; /* 104 */

#define PAL_MF_EXEMPT (1 << 0)
#define PAL_MF_MONITOR (1 << 1)
#define PAL_MF_UNKNOWN (1 << 2) /* survived only because of an unknown value */
#define PAL_MF_KILL_SUPPRESSED (1 << 3)
struct pal_match { u16 pol, sel, acts, f; }; /* acts: what was executed */
#define PAL_HV_LATE (1 << 0)
#define PAL_HV_NOPROC (1 << 1)
#define PAL_HV_TRUNC (1 << 2)
struct pal_hookev { /* kind HOOK */
	struct pal_hdr h;		/* 0 */
	struct pal_task t;		/* 32 */
	u16 nmatch, nargs; s32 err; u32 sig, flags; /* 80 */
	u64 pair; s32 kstack, ustack;	/* 96 */
	struct pal_match m[];		/* 112, 8 each, then nargs arguments */
};

/* argument status; FAULT, UNREACHABLE and FULL are "unknown" for filters */
enum pal_arg_status {
	PAL_A_OK = 0, PAL_A_FAULT = 1, PAL_A_TRUNC = 2, PAL_A_UNREACHABLE = 3, PAL_A_FULL = 4, PAL_A_NULL = 5,
	PAL_A_PENDING = 6,  /* read at the return */
	PAL_A_ABSENT = 7,   /* it is known that there is none: no filter holds */
};
struct pal_arg { u8 slot, type, status, f; u32 len; }; /* 8, data, pad to 8 */
/* data: int = 8 bytes sign-extended; string = bytes; file/path = struct pal_path_head, then bytes */
#define PAL_PATHF_DELETED (1 << 0)
struct pal_path_head { u16 mode, flags; u32 rsvd; }; /* 8 */

struct pal_loss { struct pal_hdr h; u32 pol, reason; u64 n; };	  /* 48, made by the loader */
#define PAL_ALARM_SKIPPED 64 /* calls that the kernel let pass without our program: recursion_misses */
struct pal_alarm { struct pal_hdr h; u32 code, arg; u64 a, b; };  /* 56, made by the loader: code PAL_H_* or PAL_ALARM_*, a = how often since */
struct pal_cg { struct pal_hdr h; u64 id, parent, pod; u32 op, cls; u16 l_name, pad[3]; }; /* 72, name padded to 8; op 1 mkdir, 2 release */

/* ---- counters: cnt PERCPU_ARRAY[index] ---- */
enum pal_counter {
	PAL_C_MATCH = 0, PAL_C_POST, PAL_C_NOPOST, PAL_C_KILL, PAL_C_DENY, PAL_C_WOULD_KILL, PAL_C_WOULD_DENY,
	PAL_C_RATE_LIMITED, PAL_C_LOST, PAL_C_UNKNOWN, PAL_C_KILL_SUPPRESSED, PAL_C_EXEMPT,
	PAL_C_COUNT,
};
struct pal_counters { u64 c[PAL_C_COUNT]; }; /* 96 */

/* health PERCPU_ARRAY[0] */
enum pal_health_counter {
	PAL_H_EMPTY_SLOT = 0, PAL_H_NO_SCRATCH, PAL_H_NO_TABLE, PAL_H_PROC_MISSING, PAL_H_PROC_REBUILT, PAL_H_STORAGE_FAILED,
	PAL_H_CRIT_LOST, PAL_H_TELE_LOST, PAL_H_OVERLAY_DROPPED, PAL_H_UNPROTECTED_START, PAL_H_CGROUP_FULL, PAL_H_EXEC_LATE,
	PAL_H_LATE_UNMARKED, /* execve that had to be decided at once, its path unknown: no room for the mark */
	PAL_H_KILL_FAILED, /* bpf_send_signal refused: kernel threads, and interrupts while another signal waits */
	PAL_H_COUNT = 16,
};
struct pal_health { u64 c[PAL_H_COUNT]; };
struct pal_seq { u64 crit, tele; }; /* seqs PERCPU_ARRAY[0] */

/* ---- meta ARRAY[0]: what a restarted loader must know ---- */
struct pal_meta {
	u32 layout, abi;		/* 0 */
	u8 build[32];			/* 8: sha256 of the BPF objects */
	u8 boot[16];			/* 40 */
	u32 pending;			/* 56: generation in transit, 0 = none */
	u32 spent;			/* 60: generation that was rolled back, never used again; 0 = none, or a later one has come */
	u8 label[32];			/* 64: agent's digest of the linked set of the active generation */
	u8 pending_label[32];		/* 96 */
}; /* 128 */

#define PAL_ASSERT(x) _Static_assert(x, #x)
PAL_ASSERT(sizeof(struct pal_slot) == 56);
PAL_ASSERT(sizeof(struct pal_cfg) == 2368);
PAL_ASSERT(sizeof(struct pal_sel) == 24);
PAL_ASSERT(sizeof(struct pal_tbl) == 24064);
PAL_ASSERT(sizeof(struct pal_str_key) == 260);
PAL_ASSERT(sizeof(struct pal_str) == 72);
PAL_ASSERT(sizeof(struct pal_proc) == 1168);
PAL_ASSERT(sizeof(struct pal_exec) == 288);
PAL_ASSERT(sizeof(struct pal_exit) == 120);
PAL_ASSERT(sizeof(struct pal_clone) == 104);
PAL_ASSERT(sizeof(struct pal_hookev) == 112);
PAL_ASSERT(sizeof(struct pal_loss) == 48);
PAL_ASSERT(sizeof(struct pal_alarm) == 56);
PAL_ASSERT(sizeof(struct pal_cg) == 72);
PAL_ASSERT(sizeof(struct pal_meta) == 128);
PAL_ASSERT(sizeof(struct pal_rng_key) == 16);
PAL_ASSERT(sizeof(struct pal_addr_key) == 24);
PAL_ASSERT(sizeof(struct pal_addr) == 64);
PAL_ASSERT(sizeof(struct pal_ac_state) == 160);
PAL_ASSERT(sizeof(struct pal_ac_classes) == 256);
PAL_ASSERT(sizeof(struct pal_cel_node) == 16);
PAL_ASSERT(sizeof(struct pal_pid_key) == 8);
PAL_ASSERT(sizeof(struct pal_act) == 12);
PAL_ASSERT(sizeof(struct pal_sel_acts) == 104);
PAL_ASSERT(sizeof(struct pal_acts) == 27008);

#endif
