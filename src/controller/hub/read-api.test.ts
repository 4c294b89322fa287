import { describe, expect, test } from 'vitest';
import type { AccessReviewer, ReviewOutcome } from './access-review.ts';
import { createReadApi, type PolicyOverview } from './read-api.ts';

const me: ReviewOutcome = { isAuthenticated: true, caller: { username: 'me', uid: '', groups: [], extra: {} } };

function api(policies: Iterable<PolicyOverview>, reviewPerson: AccessReviewer['reviewPerson'] = async () => me) {
  return createReadApi({
    reviewer: { reviewForHub: reviewPerson, reviewPerson, mayOnPolicies: async () => true },
    policies: () => policies,
    teardownState: () => ({ started: false, nodes: [] }),
    startTeardown: () => {},
  });
}

const overview = (name: string): PolicyOverview => ({
  kind: 'TracingPolicy',
  namespace: null,
  name,
  uid: name,
  generation: 1,
  digest: null,
  nodes: [],
});

describe('the read API', () => {
  test('makes a policy when its turn has come: a fleet’s answer as a whole is more than there is memory', async () => {
    const made: string[] = [];
    const policies = function* (): Generator<PolicyOverview> {
      for (const name of ['a', 'b']) {
        made.push(name);
        yield overview(name);
      }
    };
    const pieces = (await api(policies()).answer('GET', '/v1/policies', 'Bearer t'))[Symbol.iterator]();
    expect(made).toEqual([]);
    const first = pieces.next();
    expect(made).toEqual(['a']);
    const rest = Array.from({ [Symbol.iterator]: () => pieces });
    expect(JSON.parse([String(first.value), ...rest].join(''))).toEqual({ policies: [overview('a'), overview('b')] });
  });

  test('of a cluster without policies is JSON as well', async () => {
    expect(JSON.parse([...(await api([]).answer('GET', '/v1/policies', 'Bearer t'))].join(''))).toEqual({ policies: [] });
  });

  test('asks the API server about a few callers at once, and puts the others off', async () => {
    const gate = Promise.withResolvers<ReviewOutcome>();
    const busy = api([], () => gate.promise);
    const first = Array.from({ length: 16 }, () => busy.answer('GET', '/v1/policies', 'Bearer t'));
    await expect(busy.answer('GET', '/v1/policies', 'Bearer t')).rejects.toMatchObject({ code: 'Busy', status: 503 });
    gate.resolve(me);
    await Promise.all(first);
    await expect(busy.answer('GET', '/v1/policies', 'Bearer t')).resolves.toBeDefined();
  });
});
