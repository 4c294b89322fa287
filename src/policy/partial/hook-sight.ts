import { fieldPath } from '../problem.ts';
import type { ArgumentSpec } from '../schema/arguments.ts';
import type { SelectorSpec } from '../schema/selectors.ts';
import { HOOK_SECTIONS, type TracingPolicySpec } from '../schema/spec.ts';
import type { Flaw } from './repair.ts';

/** A hook of which something is not known: what can still be said of its filters and actions. */
export type HookSight = {
  readonly path: string;
  /** `nothing`: not even what kind of function it is; `values`: all but some of the values that it reads. */
  readonly sees: 'nothing' | 'values';
  /** Positions in args, and `data` or `returnArg` as a whole. */
  readonly unseen: ReadonlySet<number | 'data' | 'returnArg'>;
  readonly args: readonly ArgumentSpec[];
  readonly selectors: readonly SelectorSpec[];
};

/** Fields of a hook by which its other fields, its values, filters and actions are judged. */
const JUDGED_BY: ReadonlySet<string> = new Set([
  'call',
  'hook',
  'syscall',
  'raw',
  'return',
  'returnArg',
  'args',
  'data',
  'btfPath',
  'binaryDigests',
  'symbols',
  'offsets',
  'addrs',
]);

export function decidesAboutHook(meant: readonly string[]): boolean {
  return meant.some((field) => JUDGED_BY.has(field));
}

/** The hooks with such a flaw; also those that take their functions from a list, where lists have one. */
export function sightOf(spec: TracingPolicySpec, flaws: readonly Flaw[], listsAreFlawed: boolean): readonly HookSight[] {
  return HOOK_SECTIONS.flatMap((section) =>
    (spec[section] ?? []).flatMap((hook, index): readonly HookSight[] => {
      const own = flaws.filter(({ owner }) => owner[0] === section && owner[1] === index);
      const isListed = listsAreFlawed && 'call' in hook && hook.call.startsWith('list:');
      const isBlind = isListed || own.some(({ owner, meant }) => owner.length === 2 && decidesAboutHook(meant));
      const unseen = new Set(own.flatMap(unseenOf));
      const { args = [], selectors = [] } = hook;
      const path = fieldPath(`spec.${section}`, index);
      return isBlind || unseen.size > 0 ? [{ path, sees: isBlind ? 'nothing' : 'values', unseen, args, selectors }] : [];
    }),
  );
}

function unseenOf({ owner: [, , list, position], meant }: Flaw): readonly (number | 'data' | 'returnArg')[] {
  if (meant.length === 1 && meant[0] === 'label') return [];
  if (list === 'args' && typeof position === 'number') return [position];
  return list === 'data' || list === 'returnArg' ? [list] : [];
}
