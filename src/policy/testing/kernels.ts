import type { KernelCatalogue, KernelFacts } from '../kernel-facts.ts';

/** A few names that Debian's kernels have. */
const catalogue: KernelCatalogue = {
  functions: new Set([
    'security_file_open',
    'security_bprm_check',
    'security_path_unlink',
    'security_mmap_file',
    'tcp_connect',
    'vfs_read',
    '__x64_sys_execve',
    '__x64_sys_setuid',
    '__x64_sys_openat',
  ]),
  lsmHooks: new Set(['file_open', 'bprm_check_security', 'path_unlink', 'mmap_file', 'kernel_module_request']),
  tracepoints: new Set(['sched/sched_process_exec', 'sched/sched_process_exit', 'syscalls/sys_enter_openat']),
};

const modernFacts = {
  btf: true,
  bpf_lsm: true,
  fmod_ret: true,
  fmod_ret_syscall: false,
  fentry: true,
  kprobe: true,
  kprobe_multi: true,
  kprobe_session: true,
  raw_tracepoint: true,
  tracepoint: true,
  override_return: false,
  uprobe: true,
  uprobe_multi: true,
  uprobe_write: false,
  send_signal: true,
  d_path_lsm: true,
  d_path_lsm_path: true,
  d_path_fmod: true,
  cas: true,
  bpf_loop: true,
  task_storage: true,
  iter_task: true,
  ringbuf: true,
  pin_kprobe: true,
  pin_kprobe_multi: true,
  pin_tracepoint: true,
  pin_raw_tracepoint: true,
  pin_lsm: true,
  pin_fmod_ret: true,
};

/** Debian's kernels as ebpf-engine.md measured them. */
export const kernel612: KernelFacts = {
  release: '6.12.48',
  arch: 'x86_64',
  lsm: ['lockdown', 'capability', 'landlock', 'yama', 'apparmor', 'tomoyo', 'bpf'],
  preempt: 'voluntary',
  facts: modernFacts,
  catalogue,
};

export const kernel7x: KernelFacts = {
  ...kernel612,
  release: '7.3.1',
  preempt: 'lazy',
  facts: { ...modernFacts, fmod_ret_syscall: true, uprobe_write: true },
};

export const kernel61: KernelFacts = {
  ...kernel612,
  release: '6.1.192',
  facts: { ...modernFacts, kprobe_multi: false, kprobe_session: false, uprobe_multi: false, d_path_lsm_path: false },
};

export const kernel510: KernelFacts = {
  ...kernel612,
  release: '5.10.0-28',
  lsm: ['lockdown', 'capability', 'yama', 'apparmor'],
  facts: {
    ...modernFacts,
    kprobe_multi: false,
    kprobe_session: false,
    uprobe_multi: false,
    d_path_lsm: false,
    d_path_lsm_path: false,
    cas: false,
    bpf_loop: false,
    task_storage: false,
    pin_kprobe: false,
    pin_kprobe_multi: false,
    pin_tracepoint: false,
  },
};

/** The same kernel with facts, modules or preemption changed. */
export function kernelWith(kernel: KernelFacts, change: Partial<KernelFacts>, facts: Readonly<Record<string, boolean>> = {}): KernelFacts {
  return { ...kernel, ...change, facts: { ...kernel.facts, ...facts } };
}
