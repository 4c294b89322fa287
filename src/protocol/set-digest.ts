import { createHash } from 'node:crypto';
import type { Entry } from './hub-frames.ts';

/**
 * Name of a desired set: sha256 over its entries sorted by uid, one line each. Hub and agent compute it on their own and must agree, so
 * the members are listed here one by one, in a fixed order.
 */
export function setDigest(entries: Iterable<Entry>): string {
  const lines = Array.from(entries, (entry) => ({ uid: entry.uid, line: entryLine(entry) }));
  lines.sort((a, b) => (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0));
  const hash = createHash('sha256');
  for (const { line } of lines) {
    hash.update(line, 'utf8');
    hash.update('\n');
  }
  return hash.digest('hex');
}

/** The digest of a set without policies. */
export const EMPTY_SET_DIGEST = setDigest([]);

function entryLine(entry: Entry): string {
  return JSON.stringify([
    entry.uid,
    entry.kind,
    entry.namespace,
    entry.name,
    entry.generation,
    entry.digest,
    entry.mode,
    entry.fallback ?? null,
    entry.shadow ?? null,
  ]);
}
