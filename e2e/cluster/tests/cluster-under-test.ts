import { inject } from 'vitest';
import { openCluster, type OpenCluster, type OpenNode } from '../cluster-info.ts';
import type { KernelName } from '../../vm/kernels.ts';

/** The cluster that all tests share. */
export const cluster: OpenCluster = openCluster(inject('cluster'));
export const { kubectl } = cluster;

/** The worker with the given kernel. */
export function nodeWith(kernel: KernelName): OpenNode {
  const node = cluster.nodes.find((candidate) => candidate.kernel === kernel);
  if (node === undefined) throw new Error(`the cluster has no node with kernel ${kernel}`);
  return node;
}

/** The worker with the given name. */
export function nodeNamed(name: string): OpenNode {
  const node = cluster.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`the cluster has no ${name}`);
  return node;
}
