import type { PolicyActivity } from '../../policy/schema/status.ts';
import type { ActivityRow } from '../../protocol/hub-frames.ts';
import { timestamp } from '../status/compute-status.ts';

/** What all nodes counted for each policy. Numbers go on from the stored status, so a restart of the controller does not reset them. */
export type ActivityLedger = {
  /** Starts the account of a policy, from its stored status if there is any. */
  open(uid: string, stored: PolicyActivity | undefined, wallMs: number): void;
  close(uid: string): void;
  /** Adds a node's window; rows of policies without an account are dropped and counted. */
  add(rows: readonly ActivityRow[], wallMs: number): { readonly unknown: number };
  /** Null: no such account. */
  of(uid: string): PolicyActivity | null;
  /** Share of events lost within about the last `windowMs`; 0 without events. */
  lossShare(uid: string, wallMs: number): number;
};

type Account = {
  readonly since: string;
  events: number;
  wouldEnforce: number;
  enforced: number;
  lost: number;
  lastMatchMs: number | null;
  /** Two halves of the window for `lossShare`: the current one and the one before. */
  halves: [Half, Half];
};
type Half = { startedMs: number; events: number; lost: number };

export function createActivityLedger(windowMs: number): ActivityLedger {
  const accounts = new Map<string, Account>();
  return {
    open: (uid, stored, wallMs) => {
      if (accounts.has(uid)) {
        return;
      }
      const lastMatchMs = stored?.lastMatch === undefined ? Number.NaN : Date.parse(stored.lastMatch);
      accounts.set(uid, {
        since: stored?.since ?? timestamp(wallMs),
        events: stored?.events ?? 0,
        wouldEnforce: stored?.wouldEnforce ?? 0,
        enforced: stored?.enforced ?? 0,
        lost: stored?.lost ?? 0,
        lastMatchMs: Number.isNaN(lastMatchMs) ? null : lastMatchMs,
        halves: [emptyHalf(wallMs), emptyHalf(wallMs)],
      });
    },
    close: (uid) => void accounts.delete(uid),
    add: (rows, wallMs) => {
      let unknown = 0;
      for (const [uid, events, wouldEnforce, enforced, lost, lastMs] of rows) {
        const account = accounts.get(uid);
        if (account === undefined) {
          unknown += 1;
          continue;
        }
        account.events = bounded(account.events + events);
        account.wouldEnforce = bounded(account.wouldEnforce + wouldEnforce);
        account.enforced = bounded(account.enforced + enforced);
        account.lost = bounded(account.lost + lost);
        if (events + wouldEnforce + enforced > 0) {
          account.lastMatchMs = Math.max(account.lastMatchMs ?? 0, wallMs - lastMs, 0);
        }
        const half = currentHalf(account, wallMs, windowMs);
        half.events += events;
        half.lost += lost;
      }
      return { unknown };
    },
    of: (uid) => {
      const account = accounts.get(uid);
      if (account === undefined) {
        return null;
      }
      const { since, events, wouldEnforce, enforced, lost, lastMatchMs } = account;
      return { since, events, wouldEnforce, enforced, lost, ...(lastMatchMs === null ? {} : { lastMatch: timestamp(lastMatchMs) }) };
    },
    lossShare: (uid, wallMs) => {
      const halves = (accounts.get(uid)?.halves ?? []).filter((half) => wallMs - half.startedMs < windowMs);
      const lost = halves.reduce((sum, half) => sum + half.lost, 0);
      const all = halves.reduce((sum, half) => sum + half.lost + half.events, 0);
      return all === 0 ? 0 : lost / all;
    },
  };
}

function emptyHalf(startedMs: number): Half {
  return { startedMs, events: 0, lost: 0 };
}

function currentHalf(account: Account, wallMs: number, windowMs: number): Half {
  const [current] = account.halves;
  if (wallMs - current.startedMs < windowMs / 2) {
    return current;
  }
  const next = emptyHalf(wallMs);
  account.halves = [next, wallMs - current.startedMs < windowMs ? current : emptyHalf(wallMs)];
  return next;
}

/** Nodes are not trusted with numbers. */
function bounded(value: number): number {
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}
