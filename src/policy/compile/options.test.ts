import { describe, expect, it } from 'vitest';
import { codesOf, compiled, policyObject } from '../testing/policies.ts';

const policy = (name: string, value: string) => policyObject({ lsmhooks: [{ hook: 'file_open' }], options: [{ name, value }] });
const plain = compiled(policyObject({ lsmhooks: [{ hook: 'file_open' }] }));

describe('options', () => {
  it.each([
    ['override-method', 'fmod-ret', { overrideMethod: 'fmod_ret' }],
    ['override-method', 'override-return', { overrideMethod: 'override_return' }],
    ['disable-kprobe-multi', '1', { singleKprobes: true }],
    ['disable-kprobe-multi', 'True', { singleKprobes: true }],
    ['disable-uprobe-multi', 't', { singleUprobes: true }],
    ['sleepable-preload-size', '1048576', { sleepablePreloadEntries: 1_048_576 }],
    ['palisade.dev/substitute', 'kill', { substitute: 'kill' }],
    ['palisade.dev/event-rate', '1000000/s', { eventRatePerSecond: 1_000_000 }],
  ])('%s is %s', (name, value, options) => {
    expect(compiled(policy(name, value)).plan.options).toEqual({ ...plain.plan.options, ...options });
  });

  it.each([
    ['disable-kprobe-multi', 'false'],
    ['disable-uprobe-multi', '0'],
    ['palisade.dev/substitute', 'none'],
    ['policy-mode', 'enforce'],
    ['policy-mode', 'monitor'],
  ])('%s of %s leaves the plan as it is', (name, value) => {
    expect(compiled(policy(name, value)).digest).toBe(plain.digest);
  });

  it.each([
    ['override-method', 'fmod_ret'],
    ['override-method', ''],
    ['disable-kprobe-multi', 'yes'],
    ['sleepable-preload-size', '0'],
    ['sleepable-preload-size', '1048577'],
    ['sleepable-preload-size', '-1'],
    ['policy-mode', 'audit'],
    ['palisade.dev/event-rate', '1000001/s'],
    ['palisade.dev/on-unknown', 'deny'],
  ])('%s is never %j', (name, value) => {
    expect(codesOf(policy(name, value))).toEqual(['BadOptionValue']);
  });
});
