import { LIMITS } from '../limits.ts';
import type { PlanPost } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ActionSpec } from '../schema/actions.ts';

type RateLimit = Pick<PlanPost, 'rateLimitMs' | 'rateLimitScope'>;

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `5`, `5s`, `1m`, `1h` of a Post. */
export function compileRateLimit(sink: ProblemSink, path: string, spec: ActionSpec): RateLimit {
  const rateLimitMs = durationOf(sink, fieldPath(path, 'rateLimit'), spec.rateLimit ?? '');
  const scope = spec.rateLimitScope ?? '';
  const at = fieldPath(path, 'rateLimitScope');
  if (scope !== '' && scope !== 'thread' && scope !== 'process' && scope !== 'global') {
    sink.error('WrongValue', at, `${quote(scope)} is no scope of a rate limit`, 'use "thread", "process" or "global"');
  } else if (scope !== '' && spec.rateLimit === undefined) {
    sink.error('UselessField', at, 'says nothing without rateLimit');
  }
  if (rateLimitMs === undefined) {
    return {};
  }
  return scope === 'process' || scope === 'global' ? { rateLimitMs, rateLimitScope: scope } : { rateLimitMs };
}

function durationOf(sink: ProblemSink, path: string, text: string): number | undefined {
  if (text === '') {
    return undefined;
  }
  const [, digits, unit] = /^([0-9]{1,15})([smhSMH]?)$/.exec(text) ?? [];
  if (digits === undefined) {
    sink.error('BadRateLimit', path, `${quote(text)} is no duration`, 'a number of seconds, or with a unit: "5", "5s", "1m", "1h"');
    return undefined;
  }
  const name = unit?.toLowerCase();
  const ms = Number(digits) * UNIT_MS[name === 'm' || name === 'h' ? name : 's'];
  if (ms < 1 || ms > LIMITS.maxRateLimitMs) {
    sink.error('BadRateLimit', path, `${quote(text)} ${ms === 0 ? 'limits nothing' : 'is too long'}`, 'from 1s to 1193h');
    return undefined;
  }
  return ms;
}
