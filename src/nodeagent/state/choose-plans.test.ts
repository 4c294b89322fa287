import { describe, expect, test } from 'vitest';
import type { Plan } from '../../policy/plan.ts';
import type { Entry } from '../../protocol/hub-frames.ts';
import { choosePlans, failureKey, type Choice, type ChoiceInput } from './choose-plans.ts';

const OLD = 'a'.repeat(64);
const NEW = 'b'.repeat(64);
const plan = (namespace: string | null): Plan => ({
  format: 1,
  scope: { namespace, podSelector: null },
  options: { onUnknown: null, onPending: 'wait', substitute: 'none', eventRatePerSecond: 1000 },
  hooks: [],
});
const entry = (fields: Partial<Entry> = {}): Entry => ({
  uid: 'u1',
  kind: 'TracingPolicy',
  namespace: null,
  name: 'p',
  generation: 2,
  digest: NEW,
  mode: 'enforce',
  ...fields,
});
const choose = (fields: Partial<ChoiceInput>): Choice | undefined =>
  choosePlans({ entries: [entry()], plans: new Map(), loaded: new Map(), suspended: new Set(), failures: new Map(), ...fields })[0];

describe('The version of a policy that a node tries', () => {
  test('is the wished one when its plan is there', () => {
    expect(choose({ plans: new Map([[NEW, plan(null)]]) })).toMatchObject({ state: 'wished', chosen: { digest: NEW } });
  });

  test('is the last loaded one while the new plan is on its way', () => {
    const input = { plans: new Map([[OLD, plan(null)]]), loaded: new Map([['u1', OLD]]) };
    expect(choose(input)).toMatchObject({ state: 'waiting', chosen: { digest: OLD }, failure: { reason: 'PlanUnavailable' } });
  });

  test('is the last loaded one when the new one does not load, and the reason is kept', () => {
    const input = {
      plans: new Map([
        [OLD, plan(null)],
        [NEW, plan(null)],
      ]),
      loaded: new Map([['u1', OLD]]),
      failures: new Map([[failureKey('u1', NEW), { reason: 'FunctionNotFound' as const, message: 'gone' }]]),
    };
    expect(choose(input)).toMatchObject({ state: 'fallback', chosen: { digest: OLD }, failure: { reason: 'FunctionNotFound' } });
  });

  test('is none when nothing that loads is known', () => {
    const failures = new Map([[failureKey('u1', NEW), { reason: 'FunctionNotFound' as const, message: 'gone' }]]);
    expect(choose({ plans: new Map([[NEW, plan(null)]]), failures })).toMatchObject({ state: 'failed', chosen: null });
  });

  test('stays what it is when the hub says hold', () => {
    const input = { entries: [entry({ digest: null })], plans: new Map([[OLD, plan(null)]]), loaded: new Map([['u1', OLD]]) };
    expect(choose(input)).toMatchObject({ state: 'held', chosen: { digest: OLD } });
  });

  test('is none on a node where someone suspended it', () => {
    expect(choose({ plans: new Map([[NEW, plan(null)]]), suspended: new Set(['p']) })).toMatchObject({ state: 'suspended', chosen: null });
  });

  test('is none for a namespaced policy whose plan is not limited to that namespace', () => {
    const entries = [entry({ kind: 'TracingPolicyNamespaced', namespace: 'team-a' })];
    expect(choose({ entries, plans: new Map([[NEW, plan(null)]]) })).toMatchObject({ state: 'failed', chosen: null });
    expect(choose({ entries, plans: new Map([[NEW, plan('team-b')]]) })).toMatchObject({ state: 'failed', chosen: null });
    expect(choose({ entries, plans: new Map([[NEW, plan('team-a')]]) })).toMatchObject({ state: 'wished' });
  });

  test('is refused in words when the plan is of a format of the future', () => {
    expect(choose({ plans: new Map([[NEW, null]]) })).toMatchObject({ state: 'unsupported', failure: { reason: 'PlanFormatUnsupported' } });
  });
});
