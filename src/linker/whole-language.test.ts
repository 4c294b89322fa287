import { expect, it } from 'vitest';
import { compiled, policyObject } from '../policy/testing/policies.ts';
import { WHOLE_LANGUAGE } from '../policy/testing/whole-language.ts';
import { openModel } from './testing/model.ts';
import { prototypeQueries } from './hook-choice.ts';
import { link } from './link.ts';
import type { LinkPolicy } from './link-input.ts';
import { WHOLE_ENGINE } from './link-target.ts';
import type { Prototype } from './prototype.ts';
import { testInput, testKernel } from './testing/kernels.ts';

/** A kernel that has whatever it is asked for. */
function answerTo(query: string): Prototype {
  if (query.startsWith('tracepoint:')) {
    const fields = Array.from({ length: 64 }, (_, i) => ({ name: `f${i}`, offset: 8 * i, bytes: 8, signed: false, dataLocation: false }));
    return { kind: 'tracepoint', fields };
  }
  if (query.startsWith('member ')) return { kind: 'member', steps: [0x8000_0008, 16], bytes: 4, signed: true, type: 'int' };
  return { kind: 'function', args: Array.from({ length: 6 }, (_, index) => ({ index, bytes: 8, signed: false, type: 'ptr' })) };
}

it.each(WHOLE_LANGUAGE)('%s links for the engine that the specification describes, and can be walked', (_, spec) => {
  const { plan, digest, mode } = compiled(policyObject(spec));
  const policy: LinkPolicy = {
    ref: { kind: 'TracingPolicy', namespace: null, name: 'test', uid: 'u-1', generation: 1 },
    digest,
    plan,
    mode,
  };
  const input = testInput([policy], { target: WHOLE_ENGINE, kernel: testKernel({ preempt: 'none' }) });
  const prototypes = new Map(prototypeQueries([policy], input).map((query) => [query, answerTo(query)]));
  const node = link({ ...input, prototypes });
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
