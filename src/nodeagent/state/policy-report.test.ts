import { describe, expect, it } from 'vitest';
import { testKernel } from '../../linker/testing/kernels.ts';
import { testPolicy } from '../../linker/testing/policies.ts';
import type { LinkPolicy } from '../../linker/link-input.ts';
import { boundDigest } from '../../protocol/bound-digest.ts';
import type { Choice } from './choose-plans.ts';
import { policyReport, rowOf } from './policy-report.ts';
import type { RunningPolicy } from './running.ts';

const twoHooks = `kprobes:
- {call: no_such_function, syscall: false, ignore: {callNotFound: true}, selectors: [{matchActions: [{action: Sigkill}]}]}
- {call: tcp_connect, syscall: false, ignore: {callNotFound: true}, selectors: [{matchActions: [{action: Post}]}]}`;

function choiceOf(policy: LinkPolicy): Choice {
  const { ref, digest, mode } = policy;
  return { entry: { ...ref, digest, mode }, chosen: policy, state: 'wished', failure: null };
}

/** `methods`: of every hook of the plan; empty: it is skipped. */
function runningAs({ ref, digest, mode, plan }: LinkPolicy, methods: readonly string[]): RunningPolicy {
  const hooks = plan.hooks.map(({ path, kind, target }, at) => {
    const method = methods[at] ?? '';
    return { path, name: `${kind}:${target}`, method, notes: method === '' ? (['HookIgnored'] as const) : [] };
  });
  return { uid: ref.uid, generation: ref.generation, digest, mode, number: 1, hooks };
}

describe('the report of policies', () => {
  it('says that a policy cannot enforce when the kernel lacks every hook at which it would', () => {
    const policy = testPolicy('kills', twoHooks);
    expect(rowOf(choiceOf(policy), runningAs(policy, ['', 'kprobe_multi']))).toMatchObject({
      state: 'degraded',
      reason: 'HookIgnored',
      hook: 'kprobe:no_such_function',
      canEnforce: false,
    });
  });

  it('says nothing of the kind while one enforcing hook is attached, while it only watches, or while another version runs', () => {
    const policy = testPolicy('kills', twoHooks);
    const choice = choiceOf(policy);
    const monitor = testPolicy('kills', twoHooks, { mode: 'monitor' });
    const watch = testPolicy('watch', twoHooks.replace('Sigkill', 'Post'));
    const rows = [
      rowOf(choice, runningAs(policy, ['kprobe_multi', ''])),
      rowOf(choiceOf(monitor), runningAs(monitor, ['', 'kprobe_multi'])),
      rowOf(choiceOf(watch), runningAs(watch, ['', ''])),
      rowOf(choice, { ...runningAs(policy, ['', '']), digest: 'b'.repeat(64) }),
      rowOf(choice, undefined),
    ];
    expect(rows.map((row) => row.canEnforce)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it('tells hooks of one list apart, which all have the same path', () => {
    const policy = testPolicy(
      'list',
      `lists: [{name: calls, type: syscalls, values: [sys_openat, sys_close]}]
kprobes: [{call: 'list:calls', syscall: true}]`,
    );
    expect(policy.plan.hooks.map(({ path }) => path)).toEqual(['spec.kprobes[0]', 'spec.kprobes[0]']);
    const reportOf = (methods: readonly string[]) =>
      policyReport({
        choices: [choiceOf(policy)],
        running: new Map([['list', runningAs(policy, methods)]]),
        kernel: testKernel(),
        rows: 'exceptions',
      });
    expect(reportOf(['kprobe_multi', 'kprobe'])).toMatchObject({
      bound: boundDigest([]),
      rows: [{ uid: 'list', method: 'kprobe+kprobe_multi' }],
    });
    expect(reportOf(['kprobe_multi', 'kprobe_multi']).rows).toEqual([]);
  });
});
