import { findReason, type LoadReason } from '../reasons.ts';
import type { BoundMethod } from './methods.ts';

/** One sentence about what is less than wished. */
export function noteText(reason: LoadReason, method: BoundMethod | undefined): string {
  const how = method === undefined ? '' : `, attached as ${method.method}`;
  return `${findReason(reason)?.summary ?? reason}${how}`;
}
