import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileOpenPolicy, testPolicy } from '../../src/linker/testing/policies.ts';
import { figure } from '../cluster/tests/figures.ts';
import { underHammer } from './hammer.ts';
import { bootKernel, type KernelUnderTest } from './kernel-under-test.ts';

const stressMs = 60_000;

/** A long path to take apart beside a short one: what one task leaves in memory that another is using shows as a wrong verdict. */
const policies = [
  fileOpenPolicy('secret', { prefix: '/t/secret/' }),
  testPolicy(
    'suffix',
    `lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Postfix, values: [/one.conf]}, {index: 0, operator: NotPrefix, values: [/t/free/]}]
    matchActions: [{action: Override, argError: -13}]`,
  ),
];

describe.each(['6.1', '6.12', '7.x'] as const)('On %s with full preemption', (name) => {
  let kernel: KernelUnderTest;
  beforeAll(async () => {
    kernel = await bootKernel(name, { bootArguments: 'preempt=full' });
  });
  afterAll(async () => kernel?.[Symbol.asyncDispose]());

  it('gives threads that preempt each other on one processor no wrong verdict', async () => {
    await kernel.apply(policies);
    const load = await underHammer(kernel, () => new Promise((resolve) => setTimeout(resolve, stressMs)));
    figure(`${name}: preempt`, kernel.facts().preempt);
    figure(`${name}: denied opens`, `${load.deniedCalls}, leaked ${load.leaked}`);
    figure(`${name}: allowed opens`, `${load.allowedCalls}, refused ${load.refused}`);
    expect({ leaked: load.leaked, refused: load.refused }).toEqual({ leaked: 0, refused: 0 });
    expect((await kernel.counters()).recursionMisses).toBe(0n);
  });
});
