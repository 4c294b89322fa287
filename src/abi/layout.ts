// Generated from native/abi/palisade.h by scripts/generate-abi.ts; do not edit.

/** FNV-1a 64 of the header's bytes: agent and loader of different builds refuse each other. */
export const ABI_HASH = 0x5de85942bd1a67dfn;

export const PAL_ABI_VERSION = 1;
export const PAL_LAYOUT_VERSION = 1;
export const PAL_WORDS = 4;
export const PAL_SELECTORS = 256;
export const PAL_PLANES = 64;
export const PAL_SLOTS = 32;
export const PAL_STEPS = 10;
export const PAL_CLASSES = 2048;
export const PAL_MASK_CLASSES = 256;
export const PAL_STR_MAX = 255;
export const PAL_SUFFIX_MAX = 248;
export const PAL_PATH_MAX = 4096;
export const PAL_RECORD_MAX = 32768;
export const PAL_COUNTERS = 4096;
export const PAL_SET_WORDS = 4;
export const PAL_EXE_PATH_MAX = 1024;
export const PAL_PODNAME_MAX = 80;
export const PAL_T_NONE = 0;
export const PAL_T_INT = 1;
export const PAL_T_STRING = 2;
export const PAL_T_FILE = 3;
export const PAL_T_PATH = 4;
export const PAL_T_FILENAME = 5;
export const PAL_T_DENTRY = 6;
export const PAL_T_FD = 7;
export const PAL_T_KIOCB = 8;
export const PAL_T_BPRM = 9;
export const PAL_T_BUFFER = 10;
export const PAL_T_CHAR_IOVEC = 11;
export const PAL_T_IOV_ITER = 12;
export const PAL_T_NET_DEVICE = 13;
export const PAL_T_SOCKADDR_UN = 14;
export const PAL_T_SOCK = 15;
export const PAL_T_SOCKET = 16;
export const PAL_T_SKB = 17;
export const PAL_T_SOCKADDR = 18;
export const PAL_T_CAPS = 19;
export const PAL_T_CAP_EFF = 20;
export const PAL_T_CAP_PRM = 21;
export const PAL_T_CAP_INH = 22;
export const PAL_T_CRED = 23;
export const PAL_T_USER_NS = 24;
export const PAL_T_CONST_BUF = 25;
export const PAL_T_BPF_ATTR = 26;
export const PAL_T_BPF_MAP = 27;
export const PAL_T_BPF_PROG = 28;
export const PAL_T_PERF_EVENT = 29;
export const PAL_T_LOAD_INFO = 30;
export const PAL_T_MODULE = 31;
export const PAL_SRC_ARG = 0;
export const PAL_SRC_FIELD = 1;
export const PAL_SRC_BPRM_FILENAME = 2;
export const PAL_SRC_RETURN = 3;
export const PAL_SRC_TASK = 4;
export const PAL_SRC_REGISTER = 5;
export const PAL_SRC_PROBE_ARG = 6;
export const PAL_SF_USER = 1;
export const PAL_SF_SIGNED = 2;
export const PAL_SF_DPATH = 4;
export const PAL_SF_DEREF = 8;
export const PAL_SF_DATALOC = 16;
export const PAL_SF_LATE = 32;
export const PAL_SF_FIELD_ARRAY = 64;
export const PAL_SF_RETURN_COPY = 128;
export const PAL_NO_SIZE_SLOT = 255;
export const PAL_SYSCALL_32BIT = 2147483648;
export const PAL_P_SCOPE = 1;
export const PAL_P_BINARY = 2;
export const PAL_P_CAP_EFF = 3;
export const PAL_P_CAP_PRM = 4;
export const PAL_P_CAP_INH = 5;
export const PAL_P_NS = 6;
export const PAL_P_SLOT = 7;
export const PAL_P_PID = 8;
export const PAL_P_NS_PID = 9;
export const PAL_P_PARENT = 10;
export const PAL_P_FOLLOW = 11;
export const PAL_P_PARENT_FOLLOW = 12;
export const PAL_P_NS_CHANGED = 13;
export const PAL_P_CAP_NEW_EFF = 14;
export const PAL_P_CAP_NEW_PRM = 15;
export const PAL_P_CAP_NEW_INH = 16;
export const PAL_P_CEL = 17;
export const PAL_P_FOLLOW_PID = 18;
export const PAL_P_FOLLOW_NS_PID = 19;
export const PAL_K_SCOPE = 1;
export const PAL_K_COL = 2;
export const PAL_K_HASH = 3;
export const PAL_K_MASK = 4;
export const PAL_K_STR = 5;
export const PAL_K_SUFFIX = 6;
export const PAL_K_RANGE = 7;
export const PAL_K_GAIN = 8;
export const PAL_K_AC = 9;
export const PAL_K_ADDR = 10;
export const PAL_K_CEL = 11;
export const PAL_K_XCOL = 12;
export const PAL_F_VALUE = 0;
export const PAL_F_FILE_TYPE = 1;
export const PAL_F_FAMILY = 2;
export const PAL_F_PROTOCOL = 3;
export const PAL_F_STATE = 4;
export const PAL_F_SPORT = 5;
export const PAL_F_DPORT = 6;
export const PAL_F_SADDR = 7;
export const PAL_F_DADDR = 8;
export const PAL_PF_NS_CAP = 1;
export const PAL_NS_UTS = 0;
export const PAL_NS_IPC = 1;
export const PAL_NS_MNT = 2;
export const PAL_NS_PID = 3;
export const PAL_NS_PID_FOR_CHILDREN = 4;
export const PAL_NS_NET = 5;
export const PAL_NS_TIME = 6;
export const PAL_NS_TIME_FOR_CHILDREN = 7;
export const PAL_NS_CGROUP = 8;
export const PAL_NS_USER = 9;
export const PAL_NS_COUNT = 10;
export const PAL_FEAT_OVERLAY_FILTER = 1;
export const PAL_FEAT_LATE_MARK = 2;
export const PAL_FEAT_LATE_RUN = 4;
export const PAL_FEAT_SYSCALL = 8;
export const PAL_FEAT_SYS_ENTER = 16;
export const PAL_FEAT_RETURNS = 32;
export const PAL_FEAT_OVERRIDE = 64;
export const PAL_FEAT_CHAIN = 128;
export const PAL_FEAT_AC = 256;
export const PAL_FEAT_CEL = 512;
export const PAL_FEAT_ACTS = 1024;
export const PAL_FEAT_FRAMES = 2048;
export const PAL_FEAT_RETURN_RUN = 4096;
export const PAL_KF_TASK_STORAGE = 1;
export const PAL_KF_CGROUP_V1 = 2;
export const PAL_ACT_POST = 1;
export const PAL_ACT_NOPOST = 2;
export const PAL_ACT_SIGKILL = 4;
export const PAL_ACT_OVERRIDE = 8;
export const PAL_ACT_WOULD_KILL = 16;
export const PAL_ACT_WOULD_DENY = 32;
export const PAL_ACT_SIGNAL = 64;
export const PAL_ACT_TRACK_SOCK = 128;
export const PAL_ACT_UNTRACK_SOCK = 256;
export const PAL_ACT_NOTIFY_ENFORCER = 512;
export const PAL_ACT_CLEANUP_ENFORCER = 1024;
export const PAL_ACT_GET_URL = 2048;
export const PAL_ACT_DNS_LOOKUP = 4096;
export const PAL_ACT_SET = 8192;
export const PAL_ACT_SET_REGISTERS = 16384;
export const PAL_ACT_REDIRECT = 32768;
export const PAL_RANGE_KEY_BITS = 64;
export const PAL_ADDR_MAX = 16;
export const PAL_AC_CLASSES = 64;
export const PAL_AC_STATES = 32766;
export const PAL_AC_OUT = 32768;
export const PAL_CEL_NODES = 32;
export const PAL_CEL_EXPRESSIONS = 8;
export const PAL_CEL_ARG = 1;
export const PAL_CEL_LITERAL = 2;
export const PAL_CEL_CONVERT = 3;
export const PAL_CEL_NEGATE = 4;
export const PAL_CEL_INVERT = 5;
export const PAL_CEL_NOT = 6;
export const PAL_CEL_ADD = 7;
export const PAL_CEL_SUBTRACT = 8;
export const PAL_CEL_AND = 9;
export const PAL_CEL_OR = 10;
export const PAL_CEL_XOR = 11;
export const PAL_CEL_ALL = 12;
export const PAL_CEL_ANY = 13;
export const PAL_CEL_EQUAL = 14;
export const PAL_CEL_UNEQUAL = 15;
export const PAL_CEL_LESS = 16;
export const PAL_CEL_LESS_OR_EQUAL = 17;
export const PAL_CEL_BOOL = 1;
export const PAL_CEL_INT32 = 2;
export const PAL_CEL_UINT32 = 3;
export const PAL_CEL_INT64 = 4;
export const PAL_CEL_UINT64 = 5;
export const PAL_PID_HOST = 0;
export const PAL_PID_INNERMOST = 1;
export const PAL_BSETS_FORWARD = 0;
export const PAL_BSETS_REVERSED = 1;
export const PAL_DO_TRACK_SOCK = 1;
export const PAL_DO_UNTRACK_SOCK = 2;
export const PAL_DO_NOTIFY_ENFORCER = 3;
export const PAL_DO_CLEANUP_ENFORCER = 4;
export const PAL_DO_SET = 5;
export const PAL_DO_SET_REGISTERS = 6;
export const PAL_DO_REDIRECT = 7;
export const PAL_DO_GET_URL = 8;
export const PAL_DO_DNS_LOOKUP = 9;
export const PAL_DOES = 8;
export const PAL_RATE_THREAD = 0;
export const PAL_RATE_PROCESS = 1;
export const PAL_RATE_GLOBAL = 2;
export const PAL_POST_KERNEL_STACK = 1;
export const PAL_POST_USER_STACK = 2;
export const PAL_POST_IMA_HASH = 4;
export const PAL_SIGNAL_CLASSES = 8;
export const PAL_CLASS_HOST = 0;
export const PAL_CLASS_UNKNOWN = 1;
export const PAL_CLASS_PENDING = 2;
export const PAL_CLASS_FIRST = 3;
export const PAL_CG_ROOT = 1;
export const PAL_CG_POD = 2;
export const PAL_CG_SELF = 4;
export const PAL_PROC_EXEC_PENDING = 1;
export const PAL_PROC_EXEMPT = 2;
export const PAL_PROC_FROM_ITER = 4;
export const PAL_PROC_PATH_UNKNOWN = 8;
export const PAL_PROC_HOST_MOUNTS = 16;
export const PAL_KIND_EXEC = 1;
export const PAL_KIND_EXIT = 2;
export const PAL_KIND_CLONE = 3;
export const PAL_KIND_HOOK = 4;
export const PAL_KIND_LOSS = 6;
export const PAL_KIND_ALARM = 7;
export const PAL_KIND_CGROUP = 8;
export const PAL_HF_TELEMETRY = 1;
export const PAL_EF_PROCFS = 1;
export const PAL_EF_TRUNC_ARGS = 2;
export const PAL_EF_ERROR_ARGS = 4;
export const PAL_EF_LATE = 8;
export const PAL_EF_ERROR_PATH = 16;
export const PAL_EF_ERROR_CWD = 32;
export const PAL_EF_ROOT_CWD = 64;
export const PAL_MF_EXEMPT = 1;
export const PAL_MF_MONITOR = 2;
export const PAL_MF_UNKNOWN = 4;
export const PAL_MF_KILL_SUPPRESSED = 8;
export const PAL_HV_LATE = 1;
export const PAL_HV_NOPROC = 2;
export const PAL_HV_TRUNC = 4;
export const PAL_A_OK = 0;
export const PAL_A_FAULT = 1;
export const PAL_A_TRUNC = 2;
export const PAL_A_UNREACHABLE = 3;
export const PAL_A_FULL = 4;
export const PAL_A_NULL = 5;
export const PAL_A_PENDING = 6;
export const PAL_A_ABSENT = 7;
export const PAL_PATHF_DELETED = 1;
export const PAL_ALARM_SKIPPED = 64;
export const PAL_C_MATCH = 0;
export const PAL_C_POST = 1;
export const PAL_C_NOPOST = 2;
export const PAL_C_KILL = 3;
export const PAL_C_DENY = 4;
export const PAL_C_WOULD_KILL = 5;
export const PAL_C_WOULD_DENY = 6;
export const PAL_C_RATE_LIMITED = 7;
export const PAL_C_LOST = 8;
export const PAL_C_UNKNOWN = 9;
export const PAL_C_KILL_SUPPRESSED = 10;
export const PAL_C_EXEMPT = 11;
export const PAL_C_COUNT = 12;
export const PAL_H_EMPTY_SLOT = 0;
export const PAL_H_NO_SCRATCH = 1;
export const PAL_H_NO_TABLE = 2;
export const PAL_H_PROC_MISSING = 3;
export const PAL_H_PROC_REBUILT = 4;
export const PAL_H_STORAGE_FAILED = 5;
export const PAL_H_CRIT_LOST = 6;
export const PAL_H_TELE_LOST = 7;
export const PAL_H_OVERLAY_DROPPED = 8;
export const PAL_H_UNPROTECTED_START = 9;
export const PAL_H_CGROUP_FULL = 10;
export const PAL_H_EXEC_LATE = 11;
export const PAL_H_LATE_UNMARKED = 12;
export const PAL_H_KILL_FAILED = 13;
export const PAL_H_COUNT = 16;

export const SLOT_LAYOUT = {
  bytes: 56,
  at: {
    type: 0,
    src: 1,
    reg: 2,
    nsteps: 3,
    size_slot: 4,
    flags: 5,
    width: 6,
    cls: 7,
    max: 8,
    rsvd: 12,
    step: 16,
  },
} as const;
export const PLANE_LAYOUT = {
  bytes: 8,
  at: {
    src: 0,
    slot: 1,
    kind: 2,
    field: 3,
    first: 4,
    ncls: 5,
    cls0: 6,
    nlen: 7,
  },
} as const;
export const CFG_LAYOUT = {
  bytes: 2368,
  at: {
    abi: 0,
    hook: 4,
    bank: 8,
    words: 12,
    np_task: 16,
    np_scalar: 20,
    np_mem: 24,
    nslots: 28,
    regmask: 32,
    typemask: 36,
    maxsteps: 40,
    ncol: 44,
    feat: 48,
    kflags: 52,
    sysno: 56,
    rsvd: 60,
    plane: 64,
    slot: 576,
  },
} as const;
export const PLANE_TBL_LAYOUT = {
  bytes: 96,
  at: {
    dc: 0,
    inv: 32,
    unk: 64,
  },
} as const;
export const SEL_LAYOUT = {
  bytes: 24,
  at: {
    pol: 0,
    sel: 2,
    cap: 4,
    acts: 8,
    f: 10,
    cnt: 12,
    events_per_s: 16,
    rsvd: 20,
  },
} as const;
export const MASK_CLASS_LAYOUT = {
  bytes: 40,
  at: {
    mask: 0,
    sel: 8,
  },
} as const;
export const TBL_LAYOUT = {
  bytes: 24064,
  at: {
    all: 0,
    lsb: 32,
    msb: 64,
    kill: 96,
    deny: 128,
    post: 384,
    wkill: 416,
    wdeny: 448,
    err: 480,
    pl: 512,
    need: 6656,
    sel: 7680,
    cls: 13824,
  },
} as const;
export const INT_KEY_LAYOUT = {
  bytes: 16,
  at: {
    plane: 0,
    pad: 4,
    v: 8,
  },
} as const;
export const STR_KEY_LAYOUT = {
  bytes: 260,
  at: {
    plen: 0,
    plane: 4,
    data: 5,
  },
} as const;
export const STR_LAYOUT = {
  bytes: 72,
  at: {
    klen: 0,
    next: 4,
    pfx: 8,
    eq: 40,
  },
} as const;
export const MASK_LAYOUT = {
  bytes: 32,
  at: {
    w: 0,
  },
} as const;
export const RNG_KEY_LAYOUT = {
  bytes: 16,
  at: {
    plen: 0,
    plane: 4,
    v: 8,
  },
} as const;
export const ADDR_KEY_LAYOUT = {
  bytes: 24,
  at: {
    plen: 0,
    plane: 4,
    family: 6,
    addr: 8,
  },
} as const;
export const ADDR_LAYOUT = {
  bytes: 64,
  at: {
    hit: 0,
    fam: 32,
  },
} as const;
export const AC_STATE_LAYOUT = {
  bytes: 160,
  at: {
    next: 0,
    out: 128,
  },
} as const;
export const AC_CLASSES_LAYOUT = {
  bytes: 256,
  at: {
    cls: 0,
  },
} as const;
export const CEL_NODE_LAYOUT = {
  bytes: 16,
  at: {
    op: 0,
    type: 1,
    left: 2,
    right: 3,
    rsvd: 4,
    v: 8,
  },
} as const;
export const PID_KEY_LAYOUT = {
  bytes: 8,
  at: {
    pid: 0,
    space: 4,
  },
} as const;
export const ACT_LAYOUT = {
  bytes: 12,
  at: {
    type: 0,
    slot: 1,
    rsvd: 2,
    a: 4,
    b: 8,
  },
} as const;
export const SEL_ACTS_LAYOUT = {
  bytes: 104,
  at: {
    rate_ms: 0,
    rate_scope: 4,
    post: 5,
    rsvd: 6,
    act: 8,
  },
} as const;
export const ACTS_LAYOUT = {
  bytes: 27008,
  at: {
    sig: 0,
    signo: 256,
    wsig: 288,
    spare: 320,
    ret: 352,
    sel: 384,
  },
} as const;
export const CGROUP_LAYOUT = {
  bytes: 16,
  at: {
    cls: 0,
    flags: 4,
    pod: 8,
  },
} as const;
export const PODNAME_LAYOUT = {
  bytes: 80,
  at: {
    name: 0,
  },
} as const;
export const EXEMPT_KEY_LAYOUT = {
  bytes: 16,
  at: {
    dev: 0,
    ino: 8,
  },
} as const;
export const KEY_LAYOUT = {
  bytes: 16,
  at: {
    exec_ktime: 0,
    tgid: 8,
    flags: 12,
  },
} as const;
export const PROC_LAYOUT = {
  bytes: 1168,
  at: {
    key: 0,
    parent: 16,
    start_boottime: 32,
    set_gen: 40,
    sets: 48,
    ino: 112,
    dev: 120,
    flags: 128,
    exec_seq: 132,
    path_len: 136,
    rsvd: 140,
    path: 144,
  },
} as const;
export const HDR_LAYOUT = {
  bytes: 32,
  at: {
    len: 0,
    kind: 4,
    flags: 5,
    cpu: 6,
    seq: 8,
    ktime: 16,
    gen: 24,
    hook: 28,
  },
} as const;
export const TASK_LAYOUT = {
  bytes: 48,
  at: {
    key: 0,
    start: 16,
    tid: 24,
    nstgid: 28,
    cgid: 32,
    uid: 40,
    cls: 44,
  },
} as const;
export const CRED_LAYOUT = {
  bytes: 80,
  at: {
    uid: 0,
    gid: 4,
    euid: 8,
    egid: 12,
    suid: 16,
    sgid: 20,
    fsuid: 24,
    fsgid: 28,
    secbits: 32,
    pad: 36,
    prm: 40,
    eff: 48,
    inh: 56,
    ns_level: 64,
    ns_uid: 68,
    ns_gid: 72,
    ns_inum: 76,
  },
} as const;
export const EXEC_LAYOUT = {
  bytes: 288,
  at: {
    h: 0,
    t: 32,
    parent: 80,
    old: 96,
    c: 112,
    ns: 192,
    ino: 232,
    dev: 240,
    nlink: 248,
    secureexec: 252,
    auid: 256,
    flags: 260,
    l_path: 264,
    l_cwd: 266,
    l_args: 268,
    l_env: 272,
    argc: 276,
    envc: 280,
    rsvd: 284,
  },
} as const;
export const EXIT_LAYOUT = {
  bytes: 120,
  at: {
    h: 0,
    t: 32,
    parent: 80,
    code: 96,
    sig: 100,
    utime: 104,
    stime: 112,
  },
} as const;
export const CLONE_LAYOUT = {
  bytes: 104,
  at: {
    h: 0,
    t: 32,
    parent: 80,
    cflags: 96,
  },
} as const;
export const MATCH_LAYOUT = {
  bytes: 8,
  at: {
    pol: 0,
    sel: 2,
    acts: 4,
    f: 6,
  },
} as const;
export const HOOKEV_LAYOUT = {
  bytes: 112,
  at: {
    h: 0,
    t: 32,
    nmatch: 80,
    nargs: 82,
    err: 84,
    sig: 88,
    flags: 92,
    pair: 96,
    kstack: 104,
    ustack: 108,
    m: 112,
  },
} as const;
export const ARG_LAYOUT = {
  bytes: 8,
  at: {
    slot: 0,
    type: 1,
    status: 2,
    f: 3,
    len: 4,
  },
} as const;
export const PATH_HEAD_LAYOUT = {
  bytes: 8,
  at: {
    mode: 0,
    flags: 2,
    rsvd: 4,
  },
} as const;
export const LOSS_LAYOUT = {
  bytes: 48,
  at: {
    h: 0,
    pol: 32,
    reason: 36,
    n: 40,
  },
} as const;
export const ALARM_LAYOUT = {
  bytes: 56,
  at: {
    h: 0,
    code: 32,
    arg: 36,
    a: 40,
    b: 48,
  },
} as const;
export const CG_LAYOUT = {
  bytes: 72,
  at: {
    h: 0,
    id: 32,
    parent: 40,
    pod: 48,
    op: 56,
    cls: 60,
    l_name: 64,
    pad: 66,
  },
} as const;
export const COUNTERS_LAYOUT = {
  bytes: 96,
  at: {
    c: 0,
  },
} as const;
export const HEALTH_LAYOUT = {
  bytes: 128,
  at: {
    c: 0,
  },
} as const;
export const SEQ_LAYOUT = {
  bytes: 16,
  at: {
    crit: 0,
    tele: 8,
  },
} as const;
export const META_LAYOUT = {
  bytes: 128,
  at: {
    layout: 0,
    abi: 4,
    build: 8,
    boot: 40,
    pending: 56,
    spent: 60,
    label: 64,
    pending_label: 96,
  },
} as const;
