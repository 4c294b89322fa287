import type { Entry } from '../../protocol/hub-frames.ts';
import { setDigest } from '../../protocol/set-digest.ts';
import { type DesiredSet, EMPTY_SET, withChange } from './desired-set.ts';

/** Sets that agents may still speak of; an agent that holds an older one gets the whole new set instead of a difference. */
const MAX_REMEMBERED_SETS = 1_024;

/** Keeps one object per set, and remembers sets for a while, so that reports about them and differences from them can be understood. */
export type SetBook = {
  find(digest: string): DesiredSet | undefined;
  of(entries: Iterable<Entry>): DesiredSet;
  /** `withChange` for many nodes: nodes with equal sets cost one computation. */
  changer(uid: string, entry: Entry | null): (set: DesiredSet) => DesiredSet;
  readonly size: number;
};

export function createSetBook(): SetBook {
  const byDigest = new Map<string, DesiredSet>([[EMPTY_SET.digest, EMPTY_SET]]);

  const intern = (set: DesiredSet): DesiredSet => {
    const known = byDigest.get(set.digest) ?? set;
    byDigest.delete(known.digest);
    byDigest.set(known.digest, known);
    for (const digest of byDigest.keys()) {
      if (byDigest.size <= MAX_REMEMBERED_SETS) {
        break;
      }
      byDigest.delete(digest);
    }
    return known;
  };

  return {
    find: (digest) => byDigest.get(digest),
    of: (entries) => {
      const map = new Map(Array.from(entries, (entry) => [entry.uid, entry]));
      return intern({ digest: setDigest(map.values()), entries: map });
    },
    changer: (uid, entry) => {
      const done = new Map<DesiredSet, DesiredSet>();
      return (set) => {
        const known = done.get(set);
        if (known !== undefined) {
          return known;
        }
        const changed = intern(withChange(set, uid, entry));
        done.set(set, changed);
        return changed;
      };
    },
    get size() {
      return byDigest.size;
    },
  };
}
