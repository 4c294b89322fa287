import type { Desired, Entry } from '../../protocol/hub-frames.ts';
import { EMPTY_SET_DIGEST, setDigest } from '../../protocol/set-digest.ts';

/** The policies this node should run. `digest` null: it has never been told. */
export type DesiredSet = { readonly digest: string | null; readonly entries: readonly Entry[] };

export const UNKNOWN_SET: DesiredSet = { digest: null, entries: [] };

export type AppliedDesired = { readonly ok: true; readonly set: DesiredSet } | { readonly ok: false; readonly message: string };

/** A `desired` frame on top of the set that is held. Refused if it does not fit, or if the result is not the set that it names. */
export function applyDesired(held: DesiredSet, frame: Desired): AppliedDesired {
  const isFull = frame.base === null || frame.base === EMPTY_SET_DIGEST;
  if (!isFull && frame.base !== held.digest) {
    return { ok: false, message: `the hub builds on set ${shortDigest(frame.base)}, this node holds ${shortDigest(held.digest)}` };
  }
  const byUid = new Map<string, Entry>(isFull ? [] : held.entries.map((entry) => [entry.uid, entry]));
  for (const uid of frame.remove) byUid.delete(uid);
  for (const entry of frame.upsert) byUid.set(entry.uid, entry);
  const entries = [...byUid.values()].toSorted((a, b) => (a.uid < b.uid ? -1 : 1));
  const digest = setDigest(entries);
  if (digest !== frame.set) return { ok: false, message: `the set should be ${shortDigest(frame.set)} and is ${shortDigest(digest)}` };
  return { ok: true, set: { digest, entries } };
}

/** Digests of all plans that the set may need. */
export function planDigestsOf(set: DesiredSet): Set<string> {
  const digests = new Set<string>();
  for (const entry of set.entries) {
    if (entry.digest !== null) digests.add(entry.digest);
    if (entry.fallback !== undefined) digests.add(entry.fallback);
  }
  return digests;
}

function shortDigest(digest: string | null): string {
  return digest === null ? 'none' : digest.slice(0, 8);
}
