import type { Btf } from './btf/type-index.ts';

/**
 * What a node's loader found out about its kernel, by trying (never by version number). The loader writes it, the agent sends it with
 * `hello`, and `bind` reads it: in the webhook, in the controller, in the agent and in the CLI.
 */
export type KernelFacts = {
  /** `uname -r`. */
  readonly release: string;
  /** `uname -m`, e.g. `x86_64`, `aarch64`. */
  readonly arch: string;
  /** Active security modules, in the order of /sys/kernel/security/lsm. */
  readonly lsm: readonly string[];
  readonly preempt: Preemption;
  /** Keys: `FactName`. A name that is not there counts as false; names that `bind` does not know are carried along. */
  readonly facts: Readonly<Record<string, boolean | string>>;
  /** Null: not known here (yet); then `bind` cannot say that a name is missing, and does not. */
  readonly catalogue: KernelCatalogue | null;
  /** Options of the build, for explanations: `CONFIG_BPF_LSM` → `y`. Absent: not known. */
  readonly config?: Readonly<Record<string, string>>;
};

/** `unknown` is treated like `full`. Kernels since 7.0 are `full` or `lazy`. */
export type Preemption = 'none' | 'voluntary' | 'full' | 'lazy' | 'unknown';

/**
 * Names that exist in a kernel. The optional members are known offline, from a recorded kernel (`facts-file.ts`), and not over the hub;
 * `bind` checks what is known and is silent about the rest.
 */
export type KernelCatalogue = {
  /** Functions that BTF describes and probes may be put on, `__x64_sys_openat` and `security_file_open` among them. */
  readonly functions: ReadonlySet<string>;
  /** LSM hooks without prefix: `file_open` (from `bpf_lsm_file_open` in BTF). */
  readonly lsmHooks: ReadonlySet<string>;
  /** `subsystem/event`. */
  readonly tracepoints: ReadonlySet<string>;
  /** Functions that BTF describes and the kernel allows no probe on. */
  readonly unprobeable?: ReadonlySet<string>;
  /** Functions that may be made to fail (/sys/kernel/debug/error_injection/list); empty where the kernel was built without. */
  readonly errorInjectable?: ReadonlySet<string>;
  /** Fields of a tracepoint, in the order of its format, the common ones first. */
  readonly formatOf?: (tracepoint: string) => readonly TracepointField[] | undefined;
  readonly types?: KernelTypes;
};

/** One line of a tracepoint's format. */
export type TracepointField = {
  /** As C has it: `const char * filename`, `__data_loc char[] name`, `char comm[16]`. */
  readonly declaration: string;
  readonly name: string;
  /** Bytes into the record. */
  readonly offset: number;
  readonly bytes: number;
  readonly signed: boolean;
  /** The field says where in the record its text of variable length is. */
  readonly dataLocation: boolean;
};

export type KernelTypes = {
  readonly kernel: Btf;
  /** `missing`: not loaded on that kernel; `unknown`: nobody looked. */
  readonly module: (name: string) => Btf | 'missing' | 'unknown';
};

/**
 * Facts that `bind` reads. All booleans mean "a program or link of this sort was loaded, and it worked"; a fact that could not be tried
 * is false.
 */
export const FACTS = {
  btf: 'the kernel has BTF (/sys/kernel/btf/vmlinux)',
  bpf_lsm: 'an LSM program loads and attaches (whether it runs, the list of active modules says)',
  fmod_ret: 'a fmod_ret program on security_file_open loads and attaches',
  fmod_ret_syscall: 'a fmod_ret program on a system call loads (CONFIG_FUNCTION_ERROR_INJECTION)',
  fentry: 'a fentry program loads and attaches',
  kprobe: 'a kprobe link (perf event) attaches',
  kprobe_multi: 'a kprobe.multi link attaches (needs no perf event)',
  kprobe_session: 'a kprobe.session link attaches',
  raw_tracepoint: 'a raw tracepoint link attaches',
  tracepoint: 'a tracepoint link (perf event) attaches',
  override_return: 'bpf_override_return is there (CONFIG_BPF_KPROBE_OVERRIDE)',
  uprobe: 'the kernel has perf events on user probes',
  uprobe_multi: 'one link attaches to many user probes',
  uprobe_write: 'programs on user probes may change registers (6.18)',
  send_signal: 'bpf_send_signal is there',
  d_path_lsm: 'bpf_d_path is allowed in lsm/file_open',
  d_path_lsm_path: 'bpf_d_path is allowed in lsm/path_unlink and the other path_* hooks',
  d_path_fmod: 'bpf_d_path is allowed in fmod_ret/security_file_open',
  cas: 'programs may use compare-and-swap (scratch slots are safe under preemption)',
  bpf_loop: 'bpf_loop is there (the new flavour of the objects)',
  task_storage: 'task local storage is there',
  iter_task: 'an iter/task program runs',
  ringbuf: 'ring buffers are there',
  pin_kprobe: 'links of kprobes can be pinned',
  pin_kprobe_multi: 'links of kprobe.multi can be pinned',
  pin_tracepoint: 'links of tracepoints can be pinned',
  pin_raw_tracepoint: 'links of raw tracepoints can be pinned',
  pin_lsm: 'links of LSM programs can be pinned',
  pin_fmod_ret: 'links of fmod_ret and fentry programs can be pinned',
} as const satisfies Record<string, string>;

export type FactName = keyof typeof FACTS;

/**
 * How a hook is attached. `kprobe` covers both an observing or killing kprobe and one that denies by `bpf_override_return`.
 * `raw_tp_sys_enter`: one raw tracepoint on all system calls, which looks for its number. `tp_btf`: a raw tracepoint with typed arguments.
 * Returns: `kprobe_session` sees both sides by one link; `kretprobe_multi`, `kretprobe`, `fexit`, `uretprobe_multi` and `uretprobe` are
 * the other side of the method without `ret` (of `fentry` for `fexit`).
 */
export const ATTACH_METHODS = [
  'lsm',
  'fmod_ret',
  'kprobe_multi',
  'kprobe',
  'fentry',
  'raw_tp_sys_enter',
  'raw_tracepoint',
  'tp_btf',
  'tracepoint',
  'kprobe_session',
  'kretprobe_multi',
  'kretprobe',
  'fexit',
  'uprobe_multi',
  'uprobe',
  'uretprobe_multi',
  'uretprobe',
] as const;

export type AttachMethod = (typeof ATTACH_METHODS)[number];

export function hasFact(kernel: KernelFacts, name: FactName): boolean {
  return kernel.facts[name] === true;
}

/** True where a fmod_ret or fentry program may be skipped because another task was preempted inside it (a skip allows). */
export function isPreemptible(kernel: KernelFacts): boolean {
  return kernel.preempt !== 'none' && kernel.preempt !== 'voluntary';
}
