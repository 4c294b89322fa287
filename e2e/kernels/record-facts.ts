import type { HookRecord, PalRecord } from '../../src/abi/record-types.ts';

/** How the hooks of running policies are attached. */
export function methodsOf(running: ReadonlyMap<string, { readonly hooks: readonly { readonly method: string }[] }>): string {
  return [...running.values()].flatMap((policy) => policy.hooks.map((hook) => hook.method)).join(', ');
}

/** Numbers of the critical ring that no record has, on all processors. */
export function gaps(records: readonly PalRecord[]): number {
  const seen = new Map<number, Set<bigint>>();
  for (const { header } of records) {
    if (header.ring !== 'critical' || header.seq === 0n) continue;
    const numbers = seen.get(header.cpu) ?? new Set();
    seen.set(header.cpu, numbers.add(header.seq));
  }
  return [...seen.values()].reduce((sum, numbers) => {
    const sorted = [...numbers].toSorted((a, b) => (a < b ? -1 : 1));
    return sum + Number((sorted.at(-1) ?? 0n) - (sorted[0] ?? 0n)) + 1 - numbers.size;
  }, 0);
}

/** Texts of the arguments, without the head that paths have. */
export function pathsOf(event: HookRecord): string[] {
  return event.args.map((arg) => arg.data.toString().slice(Math.max(0, arg.data.indexOf('/'))));
}
