import { findReason, type LoadReason } from '../reasons.ts';
import type { BoundMethod } from './methods.ts';

/** One sentence about what is less than wished. */
export function noteText(reason: LoadReason, method: BoundMethod | undefined): string {
  const summary = findReason(reason)?.summary ?? reason;
  return method === undefined ? summary : `attached as ${method.method}: ${summary}`;
}
