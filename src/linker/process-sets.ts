/**
 * Node-wide sets of executables and process ids: a bit of the process record each, found once per exec or fork and not once per call.
 * Parents, descendants (followChildren, followForks) and patterns of executables are such sets; so is the plain matchBinaries.
 */
import {
  PAL_BSETS_FORWARD,
  PAL_BSETS_REVERSED,
  PAL_P_BINARY,
  PAL_P_FOLLOW,
  PAL_P_FOLLOW_NS_PID,
  PAL_P_FOLLOW_PID,
  PAL_P_PARENT,
  PAL_P_PARENT_FOLLOW,
  PAL_PID_HOST,
  PAL_PID_INNERMOST,
} from '../abi/layout.ts';
import { pidRows, stringRows } from '../abi/map-rows.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import type { PlanFilter } from '../policy/plan.ts';
import type { PlanBinaryFilter, PlanPidFilter } from '../policy/plan-process-filters.ts';
import { digestKey } from './allocation.ts';
import { byteString, reversed, type StringValue, stringNodes } from './string-trie.ts';

export type ProcessSet = {
  readonly how: 'exact' | 'prefix' | 'postfix' | 'pid' | 'innermostPid';
  /** Sorted. Empty: nothing is in it. */
  readonly values: readonly string[];
  /** Descendants are in it as well. */
  readonly follows: boolean;
};

/** One requirement of a selector on a set. */
export type SetUse = {
  readonly set: ProcessSet;
  /** Whose sets: PAL_P_*. */
  readonly source: number;
  readonly negated: boolean;
};

/** Planes of the map of paths: two for beginnings of values from either end, and these for what is longer than a key. */
export const SET_CHUNK_PLANES = 253;

/**
 * What a selector asks of sets. Its plain In and NotIn on the executable become one set, which can be worked out here because the paths
 * are exact; everything else is a requirement of its own.
 */
export function setUses(filters: readonly PlanFilter[]): readonly SetUse[] {
  const binaries = filters.filter((filter) => filter.on === 'binary');
  const merged = mergeExact(binaries.filter(isPlain));
  const others = binaries.filter((filter) => !isPlain(filter)).map(useOfBinaries);
  const pids = filters.flatMap((filter) => (filter.on === 'pid' && filter.followForks === true ? [useOfPids(filter)] : []));
  return [...(merged === null ? [] : [merged]), ...others, ...pids];
}

function isPlain(filter: PlanBinaryFilter): boolean {
  return (filter.operator === 'In' || filter.operator === 'NotIn') && filter.of === undefined && filter.followChildren === undefined;
}

function mergeExact(filters: readonly PlanBinaryFilter[]): SetUse | null {
  let allowed: Set<string> | null = null;
  const denied = new Set<string>();
  for (const filter of filters) {
    const values = new Set(filter.values);
    if (filter.operator === 'NotIn') for (const value of values) denied.add(value);
    else allowed = allowed === null ? values : allowed.intersection(values);
  }
  const exact = (values: ReadonlySet<string>, negated: boolean): SetUse => ({
    set: { how: 'exact', values: [...values].toSorted(), follows: false },
    source: PAL_P_BINARY,
    negated,
  });
  if (allowed !== null) return exact(allowed.difference(denied), false);
  return denied.size === 0 ? null : exact(denied, true);
}

const HOW = { In: 'exact', NotIn: 'exact', Prefix: 'prefix', NotPrefix: 'prefix', Postfix: 'postfix', NotPostfix: 'postfix' } as const;

function useOfBinaries(filter: PlanBinaryFilter): SetUse {
  const follows = filter.followChildren === true;
  const ofParent = filter.of === 'parent';
  const source = ofParent ? (follows ? PAL_P_PARENT_FOLLOW : PAL_P_PARENT) : follows ? PAL_P_FOLLOW : PAL_P_BINARY;
  return { set: { how: HOW[filter.operator], values: filter.values, follows }, source, negated: filter.operator.startsWith('Not') };
}

function useOfPids(filter: PlanPidFilter): SetUse {
  const inner = filter.isNamespacePid === true;
  return {
    set: { how: inner ? 'innermostPid' : 'pid', values: filter.values, follows: true },
    source: inner ? PAL_P_FOLLOW_NS_PID : PAL_P_FOLLOW_PID,
    negated: filter.operator === 'NotIn',
  };
}

/** Uses of the same values are one set. */
export function setKey(set: ProcessSet): string {
  return digestKey(JSON.stringify(set.how === 'exact' ? set.values : [set.how, set.values]));
}

export type KeyedUse = SetUse & { readonly key: string };

/** Plans do not change: what was worked out for the filters of a selector holds as long as they are there. */
const remembered = new WeakMap<readonly PlanFilter[], readonly KeyedUse[]>();

/** `setUses` with the keys of the sets. */
export function keyedUses(filters: readonly PlanFilter[]): readonly KeyedUse[] {
  const known = remembered.get(filters);
  if (known !== undefined) return known;
  const uses = setUses(filters).map((use) => ({ ...use, key: setKey(use.set) }));
  remembered.set(filters, uses);
  return uses;
}

/** Equal texts give equal tables. */
export function describeSets(sets: ReadonlyMap<number, { readonly key: string; readonly set: ProcessSet }>): string {
  const sorted = [...sets].toSorted(([a], [b]) => a - b);
  return digestKey(JSON.stringify(sorted.map(([number, { key, set }]) => [number, key, set.follows])));
}

export type SetTables = {
  /** Of the map of paths. */
  readonly paths: Buffer;
  /** Of the map of process ids; empty where no policy follows forks. */
  readonly pids: Buffer;
  /** Bit n: what is in set n passes it on to its descendants. */
  readonly followed: SelectorMask;
};

/** `sets` is by set number. */
export function setTables(sets: ReadonlyMap<number, { readonly set: ProcessSet }>): SetTables {
  const forward: StringValue[] = [];
  const backward: StringValue[] = [];
  const byPid = new Map<string, { pid: number; space: number; sets: SelectorMask }>();
  let followed = 0n;
  for (const [number, { set }] of sets) {
    const { how, values, follows } = set;
    const member = bitMask(number);
    if (follows) followed |= member;
    for (const value of values) {
      if (how === 'pid' || how === 'innermostPid') {
        const row = byPid.get(`${how}/${value}`) ?? {
          pid: Number(value),
          space: how === 'pid' ? PAL_PID_HOST : PAL_PID_INNERMOST,
          sets: 0n,
        };
        byPid.set(`${how}/${value}`, { ...row, sets: row.sets | member });
      } else if (how === 'postfix') backward.push({ bytes: reversed(byteString(value)), prefix: member, equal: 0n });
      else forward.push({ bytes: byteString(value), prefix: how === 'prefix' ? member : 0n, equal: how === 'exact' ? member : 0n });
    }
  }
  let plane = PAL_BSETS_REVERSED;
  const newPlane = (): number => (plane += 1);
  const nodes = [...stringNodes(PAL_BSETS_FORWARD, forward, newPlane), ...stringNodes(PAL_BSETS_REVERSED, backward, newPlane)];
  const pids = [...byPid.values()].toSorted((a, b) => a.space - b.space || a.pid - b.pid);
  return { paths: stringRows(nodes), pids: pidRows(pids), followed };
}
