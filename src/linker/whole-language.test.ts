import { expect, it } from 'vitest';
import { compiled, policyObject } from '../policy/testing/policies.ts';
import { WHOLE_LANGUAGE } from '../policy/testing/whole-language.ts';
import { link } from './link.ts';
import type { LinkPolicy } from './link-input.ts';
import { anyKernelInput } from './testing/any-kernel.ts';
import { openModel } from './testing/model.ts';

it.each(WHOLE_LANGUAGE)('%s links for the engine that the specification describes, and can be walked', (_, spec) => {
  const { plan, digest, mode } = compiled(policyObject(spec));
  const policy: LinkPolicy = {
    ref: { kind: 'TracingPolicy', namespace: null, name: 'test', uid: 'u-1', generation: 1 },
    digest,
    plan,
    mode,
  };
  const node = link(anyKernelInput([policy]));
  expect(node.problems).toEqual([]);
  const linkedHooks = new Set(node.hooks.flatMap((hook) => hook.members.map((member) => member.hookIndex)));
  expect(linkedHooks.size).toBe(plan.hooks.length);
  for (const hook of node.hooks) {
    expect(hook.methods.length).toBeGreaterThan(0);
    const task = {
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
    expect(openModel(hook, node).run(task, () => ({ kind: 'unknown' })).matches.length).toBeLessThanOrEqual(hook.members.length);
  }
});
