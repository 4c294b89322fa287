import { expect, it } from 'vitest';
import { compiled, policyObject } from '../policy/testing/policies.ts';
import { WHOLE_LANGUAGE } from '../policy/testing/whole-language.ts';
import { link } from './link.ts';
import type { LinkPolicy } from './link-input.ts';
import { anyKernelInput } from './testing/any-kernel.ts';
import type { ModelValue } from './testing/model-lookup.ts';
import type { ModelTask } from './testing/model-process.ts';
import { openModel } from './testing/model.ts';

const TASK: ModelTask = {
  scopeRow: (1n << 256n) - 1n,
  binary: Buffer.from('/bin/sh'),
  pid: 1,
  nsPid: null,
  ancestors: [],
  capabilities: { effective: 0n, permitted: 0n, inheritable: 0n },
  inHostUserNamespace: false,
  namespaces: Array.from({ length: 10 }, () => 1),
  exempt: false,
};
const UNREADABLE: ModelValue = { kind: 'unknown' };

it.each(WHOLE_LANGUAGE)('%s links for the engine that the specification describes, and can be walked', (_, spec) => {
  const policy = policyOf(spec);
  const { plan } = policy;
  const node = link(anyKernelInput([policy]));
  expect(node.problems).toEqual([]);
  const linkedHooks = new Set(node.hooks.flatMap((hook) => hook.members.map((member) => member.hookIndex)));
  expect(linkedHooks.size).toBe(plan.hooks.length);
  for (const hook of node.hooks) {
    expect(hook.methods.length).toBeGreaterThan(0);
    expect(openModel(hook, node).run(TASK, () => UNREADABLE).matches.length).toBeLessThanOrEqual(hook.members.length);
  }
});

it.each(['enforce', 'monitor'] as const)(
  'a kill beside a denial by an enforcer is not for unreadable values, in %s mode either',
  (mode) => {
    const kprobe = {
      call: 'sys_read',
      args: [{ index: 0, type: 'int' }],
      selectors: [
        {
          matchArgs: [{ index: 0, operator: 'Equal', values: ['3'] }],
          matchActions: [{ action: 'NotifyEnforcer', argError: -1 }, { action: 'Sigkill' }],
        },
      ],
    };
    const spec = { kprobes: [kprobe], enforcers: [{ calls: ['sys_read'] }], options: [{ name: 'policy-mode', value: mode }] };
    const node = link(anyKernelInput([policyOf(spec)]));
    const hook = node.hooks.find(({ id, recordHook }) => id === recordHook);
    const [match] = hook === undefined ? [] : openModel(hook, node).run(TASK, () => UNREADABLE).matches;
    expect(match).toMatchObject({ known: false, kill: false, wouldKill: false });
  },
);

function policyOf(spec: object): LinkPolicy {
  const { plan, digest, mode } = compiled(policyObject(spec));
  return { ref: { kind: 'TracingPolicy', namespace: null, name: 'test', uid: 'u-1', generation: 1 }, digest, plan, mode };
}
