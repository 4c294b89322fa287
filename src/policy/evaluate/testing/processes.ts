import type { HookCall, Lineage, NamespaceNumbers, ProcessFacts } from '../event.ts';

export const noNamespaces: NamespaceNumbers = {
  uts: 0,
  ipc: 0,
  mnt: 4,
  pid: 0,
  pid_for_children: 0,
  net: 0,
  time: 0,
  time_for_children: 0,
  cgroup: 0,
  user: 0,
};

/** A shell in a pod, of which only the necessary is known. */
export const someone: ProcessFacts = {
  binary: Buffer.from('/bin/sh'),
  namespaces: noNamespaces,
  hostNamespaces: noNamespaces,
  capabilities: { effective: 1n << 21n, permitted: 0n, inheritable: 0n },
  inHostUserNamespace: true,
  workload: { kind: 'pod', namespace: 'default', labels: { app: 'web' } },
  exempt: false,
};

export function callBy(process: Partial<ProcessFacts>, args: HookCall['args'] = []): HookCall {
  return { args, process: { ...someone, ...process } };
}

export function ran(path: string | null, ids: Omit<Lineage, 'binary'> = {}): Lineage {
  return { binary: path === null ? null : Buffer.from(path), ...ids };
}
