/** From counters of the kernel to what the hub is told every minute. Pure. */
import { PAL_C_DENY, PAL_C_KILL, PAL_C_LOST, PAL_C_MATCH, PAL_C_POST, PAL_C_WOULD_DENY, PAL_C_WOULD_KILL } from '../../abi/layout.ts';
import type { ActivityRow } from '../../protocol/hub-frames.ts';

/** Counters of one policy, by PAL_C_*. */
export type PolicyCounters = readonly bigint[];

export type ActivityInput = {
  /** By policy uid. */
  readonly now: ReadonlyMap<string, PolicyCounters>;
  /** At the end of the window before; a policy that is not there starts at zero. */
  readonly before: ReadonlyMap<string, PolicyCounters>;
  /** Milliseconds since the policy's last event, where one was seen. */
  readonly sinceLastMs: ReadonlyMap<string, number>;
  readonly windowMs: number;
};

/** Policies of which nothing happened are left out. */
export function activityRows(input: ActivityInput): ActivityRow[] {
  const rows: ActivityRow[] = [];
  for (const [uid, counters] of input.now) {
    const before = input.before.get(uid);
    const grown = (index: number): number => growth(counters[index] ?? 0n, before?.[index] ?? 0n);
    const events = grown(PAL_C_POST);
    const would = grown(PAL_C_WOULD_KILL) + grown(PAL_C_WOULD_DENY);
    const enforced = grown(PAL_C_KILL) + grown(PAL_C_DENY);
    const lost = grown(PAL_C_LOST);
    if (events + would + enforced + lost + grown(PAL_C_MATCH) === 0) continue;
    const sinceMs = Math.round(input.sinceLastMs.get(uid) ?? 0);
    rows.push([uid, events, would, enforced, lost, Math.max(0, Math.min(sinceMs, input.windowMs))]);
  }
  return rows;
}

/** A counter that is smaller than before was reset: what it shows is what happened since. */
function growth(now: bigint, before: bigint): number {
  return Number(now >= before ? now - before : now);
}
