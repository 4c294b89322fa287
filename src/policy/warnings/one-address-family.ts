import type { PlanAddressFilter, PlanHook, PlanSelector } from '../plan.ts';
import type { ProblemSink } from '../problem.ts';
import { nameOf, placesOf } from './narrowing.ts';
import type { Subject } from './subject.ts';

/**
 * "Outside of 10.0.0.0/8" does not mean IPv6: addresses of a family that no value is of match neither the filter nor its negation (as
 * upstream). Who wants to stop what leaves the cluster lets all of the other family pass.
 */
export function warnOfOneAddressFamily(sink: ProblemSink, { plan }: Subject): void {
  for (const { hook, selector } of placesOf(plan.hooks)) {
    const missing = selector.filters.map((filter) => (filter.on === 'address' ? missingFamily(filter) : undefined)).find(Boolean);
    if (missing === undefined || hook.selectors.some(namesFamilies) || isFamilyOfHook(hook)) {
      continue;
    }
    const message = `${missing} never matches here: ${nameOf(hook)} sees it, and no value is of that family`;
    const family = missing === 'IPv6' ? 'AF_INET6' : 'AF_INET';
    sink.warn('OneAddressFamily', selector.path, message, `add an address of it, or a selector with operator Family, values: [${family}]`);
  }
}

function missingFamily({ operator, values }: PlanAddressFilter): 'IPv4' | 'IPv6' | undefined {
  if (operator !== 'NotIn') {
    return undefined;
  }
  const count = values.filter((value) => value.includes(':')).length;
  return count === 0 ? 'IPv6' : count === values.length ? 'IPv4' : undefined;
}

/** The hook tells families apart, so its author has thought of them. */
function namesFamilies(selector: PlanSelector): boolean {
  return selector.filters.some((filter) => filter.on === 'socket' && filter.field === 'family');
}

/** `tcp_v4_connect` sees one family only. */
function isFamilyOfHook(hook: PlanHook): boolean {
  return /(?:_v[46]_|inet6|ip6|ipv6)/.test(hook.target);
}
