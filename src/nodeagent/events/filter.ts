import { policyOf, processOf, type AgentEvent } from './event.ts';

/** Which events a reader wants. All that is given must hold; nothing given: everything. */
export type EventFilter = {
  /** Beginning of the pod's name, so that a Deployment's name finds its pods. */
  readonly pod?: string | undefined;
  readonly namespace?: string | undefined;
  readonly policy?: string | undefined;
  readonly node?: string | undefined;
  /** Events at this time (RFC 3339) or later. */
  readonly since?: string | undefined;
};

export function fitsFilter(event: AgentEvent, filter: EventFilter): boolean {
  if (filter.node !== undefined && event.node_name !== filter.node) return false;
  if (filter.since !== undefined && !isSince(event.time, filter.since)) return false;
  if (filter.policy !== undefined && policyOf(event) !== filter.policy) return false;
  if (filter.pod === undefined && filter.namespace === undefined) return true;
  const pod = processOf(event)?.pod;
  if (filter.namespace !== undefined && pod?.namespace !== filter.namespace) return false;
  return filter.pod === undefined || (pod?.name ?? '').startsWith(filter.pod);
}

/** Texts that a line must contain to have a chance: much cheaper than parsing lines that do not fit. */
export function needlesOf(filter: EventFilter): string[] {
  return [
    ...(filter.policy === undefined ? [] : [`"policy_name":${JSON.stringify(filter.policy)}`]),
    ...(filter.namespace === undefined ? [] : [`"namespace":${JSON.stringify(filter.namespace)}`]),
    ...(filter.pod === undefined ? [] : [JSON.stringify(filter.pod).slice(0, -1)]),
  ];
}

/** Both are UTC with the same number of digits before the fraction; the fraction may differ in length. */
function isSince(time: string, since: string): boolean {
  return time.slice(0, 19) === since.slice(0, 19) ? time >= since.replace(/Z$/, '') : time > since;
}
