import type { CatalogueNode, KernelBuildFrame, KernelNames } from '../../protocol/catalogue.ts';

export const BUILD_OLD = '0a'.repeat(32);
export const BUILD_NEW = '0b'.repeat(32);

const FACTS = {
  btf: true,
  bpf_lsm: true,
  fmod_ret: true,
  fentry: true,
  kprobe: true,
  kprobe_multi: true,
  tracepoint: true,
  raw_tracepoint: true,
  cas: true,
  send_signal: true,
  d_path_lsm: true,
  pin_lsm: true,
  pin_kprobe_multi: true,
};

export function buildFrame(build: string, changes: Partial<KernelBuildFrame> = {}): KernelBuildFrame {
  const release = build === BUILD_OLD ? '6.1.0-44-amd64' : '6.12.63-amd64';
  return { t: 'build', build, release, arch: 'x86_64', lsm: ['capability', 'bpf'], preempt: 'voluntary', facts: FACTS, ...changes };
}

export function kernelNames(changes: Partial<KernelNames> = {}): KernelNames {
  return {
    functions: ['security_file_open', 'security_inode_unlink', 'tcp_connect', '__x64_sys_openat'],
    lsmHooks: ['file_open', 'inode_unlink'],
    tracepoints: ['sched/sched_process_exec'],
    ...changes,
  };
}

export function nodes(prefix: string, count: number, changes: Partial<CatalogueNode> = {}): CatalogueNode[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${prefix}-${index}`,
    labels: {},
    build: BUILD_NEW,
    silentMs: 0,
    ...changes,
  }));
}
