/** Kernels for tests: everything works, unless a test says otherwise. */
import { FACTS, type KernelFacts } from '../../policy/kernel-facts.ts';
import type { LinkInput, LinkPolicy } from '../link-input.ts';
import { EMPTY_ALLOCATION } from '../allocation.ts';

export function testKernel(changes: Partial<KernelFacts> = {}): KernelFacts {
  const facts = Object.fromEntries(Object.keys(FACTS).map((name) => [name, true]));
  return { release: '6.12.0-test', arch: 'x86_64', lsm: ['capability', 'bpf'], preempt: 'full', facts, catalogue: null, ...changes };
}

export function testInput(policies: readonly LinkPolicy[], changes: Partial<LinkInput> = {}): LinkInput {
  return {
    policies,
    kernel: testKernel(),
    hostNamespaces: [],
    prototypes: new Map(),
    pods: [],
    allocation: EMPTY_ALLOCATION,
    unusable: new Map(),
    ...changes,
  };
}
