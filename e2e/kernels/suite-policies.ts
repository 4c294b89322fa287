import type { LinkPolicy } from '../../src/linker/link-input.ts';
import { fileOpenPolicy, testPolicy } from '../../src/linker/testing/policies.ts';

/** Acts on opens below /t/secret/. Few events: what is measured under load is the engine, not the emulated way out of the machine. */
export function onSecret(name: string, action: string, onUnknown: string, eventsPerSecond = 10): LinkPolicy {
  const unknown = onUnknown === '' ? '' : `, {name: palisade.dev/on-unknown, value: ${onUnknown}}`;
  return testPolicy(
    name,
    `options: [{name: palisade.dev/event-rate, value: ${eventsPerSecond}/s}${unknown}]
lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: [/t/secret/]}]
    matchActions: [{action: ${action}}]`,
  );
}

export const secret = onSecret('secret', 'Override, argError: -1', '');

/** An enforcing set that always denies the same, and differs from the one before in data alone or in what its programs are made of. */
export function changed(i: number, change: 'data' | 'structure'): readonly LinkPolicy[] {
  const other = `/t/other-${i}/`;
  return change === 'data'
    ? [secret, fileOpenPolicy('other', { prefix: other })]
    : [secret, fileOpenPolicy('other', { prefix: other, ...(i % 2 === 0 ? { binaries: [`/t/bin/other-${i}`] } : {}) })];
}

/** A kprobe without filters. */
export function kprobe(call: string, syscall: string, action: string): string {
  return `kprobes: [{call: ${call}, syscall: ${syscall}, selectors: [{matchActions: [{action: ${action}}]}]}]`;
}

/** Kills who executes a program by a system call for which the filters hold, as lines of a selector. Without `args` the path is not read. */
export function killOnExecve(name: string, filters: readonly string[], args = '{index: 0, type: string}'): LinkPolicy {
  return testPolicy(
    name,
    `kprobes:
- call: sys_execve
  syscall: true
  args: [${args}]
  selectors:
  - ${[...filters, 'matchActions: [{action: Sigkill}]'].join('\n    ')}`,
  );
}
