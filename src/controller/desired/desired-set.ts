import type { Desired, Entry } from '../../protocol/hub-frames.ts';
import { EMPTY_SET_DIGEST, setDigest } from '../../protocol/set-digest.ts';

/** The policies that some nodes should run; equal sets are one object. Never changed. */
export type DesiredSet = { readonly digest: string; readonly entries: ReadonlyMap<string, Entry> };

export const EMPTY_SET: DesiredSet = { digest: EMPTY_SET_DIGEST, entries: new Map() };

/** What leads from one set to another. */
export type SetChange = { readonly upsert: readonly Entry[]; readonly remove: readonly string[] };

export function differenceOf(base: DesiredSet, set: DesiredSet): SetChange {
  const upsert = [...set.entries.values()].filter((entry) => {
    const before = base.entries.get(entry.uid);
    return before === undefined || !isSameEntry(before, entry);
  });
  const remove = [...base.entries.keys()].filter((uid) => !set.entries.has(uid));
  return { upsert: upsert.toSorted(byUid), remove: remove.toSorted() };
}

export function desiredFrame(epoch: number, base: DesiredSet | null, set: DesiredSet): Desired {
  const change = differenceOf(base ?? EMPTY_SET, set);
  return { t: 'desired', epoch, base: base?.digest ?? null, set: set.digest, upsert: [...change.upsert], remove: [...change.remove] };
}

export function isSameEntry(a: Entry, b: Entry): boolean {
  return (
    a.uid === b.uid &&
    a.kind === b.kind &&
    a.namespace === b.namespace &&
    a.name === b.name &&
    a.generation === b.generation &&
    a.digest === b.digest &&
    a.mode === b.mode &&
    a.fallback === b.fallback &&
    a.shadow === b.shadow
  );
}

/** A set with `change` made to it; the same object if it changes nothing. */
export function withChange(set: DesiredSet, uid: string, entry: Entry | null): DesiredSet {
  const before = set.entries.get(uid);
  if (entry === null ? before === undefined : before !== undefined && isSameEntry(before, entry)) {
    return set;
  }
  const entries = new Map(set.entries);
  if (entry === null) {
    entries.delete(uid);
  } else {
    entries.set(uid, entry);
  }
  return { digest: setDigest(entries.values()), entries };
}

function byUid(a: Entry, b: Entry): number {
  return a.uid < b.uid ? -1 : 1;
}
