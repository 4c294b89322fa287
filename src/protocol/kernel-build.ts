import { createHash } from 'node:crypto';

/** What tells kernels apart for `bind`: nodes that are equal in all of this are equal for every policy. */
export type KernelIdentity = {
  readonly release: string;
  readonly version: string;
  readonly arch: string;
  readonly lsm: readonly string[];
  readonly preempt: string;
  readonly facts: Readonly<Record<string, boolean | string>>;
};

/**
 * The name of a kernel build with its facts. The hub computes it again from the hello, so that a node cannot speak for kernels that are
 * not its own kind.
 */
export function kernelBuildOf(kernel: KernelIdentity): string {
  const facts = Object.entries(kernel.facts).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([kernel.release, kernel.version, kernel.arch, kernel.lsm, kernel.preempt, facts]);
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
