import { expect, it } from 'vitest';
import { readSlot } from '../abi/hook-config.ts';
import { PAL_SF_USER } from '../abi/layout.ts';
import { link } from './link.ts';
import type { Prototype } from './prototype.ts';
import { testInput } from './testing/kernels.ts';
import { testPolicy } from './testing/policies.ts';

const mount = (name: string, args: string): ReturnType<typeof testPolicy> =>
  testPolicy(name, `kprobes: [{call: do_mount, syscall: false, args: [${args}], selectors: [{matchActions: [{action: Post}]}]}]`);
const prototype: Prototype = {
  kind: 'function',
  args: [
    { index: 0, bytes: 8, signed: false, type: 'ptr' },
    { index: 1, bytes: 8, signed: false, type: 'user-ptr' },
  ],
};
const prototypes = new Map([['function:do_mount', prototype]]);
const reader = mount('reader', '{index: 1, type: string}');

it('what the kernel says of arguments counts whatever policies share the hook, also with those that read none', () => {
  const slotsOf = (names: readonly string[]) => {
    const [hook, ...more] = link(testInput([...names.map((name) => mount(name, '')), reader], { prototypes })).hooks;
    expect(more).toEqual([]);
    return hook === undefined ? [] : [readSlot(hook.config, 0)];
  };
  const alone = slotsOf([]);
  expect(alone[0]?.flags).toBe(PAL_SF_USER);
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) expect(slotsOf([name])).toEqual(alone);
});
