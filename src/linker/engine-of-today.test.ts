import { expect, it } from 'vitest';
import { CFG_LAYOUT } from '../abi/layout.ts';
import { readSlot } from '../abi/hook-config.ts';
import { beyondToday } from './engine-of-today.ts';
import { link } from './link.ts';
import { WHOLE_ENGINE } from './link-target.ts';
import { testInput } from './testing/kernels.ts';
import { fileOpenPolicy, testPolicy } from './testing/policies.ts';

function kprobe(type: string, filter: string, more = ''): string {
  return `kprobes: [{call: f, syscall: false, args: [{index: 0, type: ${type}}], selectors: [{matchArgs: [{index: 0, ${filter}}]${more}}]}]`;
}

it.each([
  ['a substring', kprobe('string', 'operator: SubString, values: [abc]'), 'the map ac'],
  ['a range', kprobe('int', 'operator: GT, values: ["5"]'), 'the map rng'],
  ['an address', kprobe('sock', 'operator: DAddr, values: [10.0.0.0/8]'), 'the map addr'],
  ['a type of files', kprobe('file', 'operator: FileType, values: [reg]'), 'a lookup'],
  ['a socket', kprobe('sock', 'operator: Family, values: [AF_INET]'), 'a lookup'],
  ['a long text', kprobe('string', `operator: Equal, values: [${'x'.repeat(300)}]`), 'what the engine of this version does not do'],
  [
    'a parent',
    kprobe('string', 'operator: Equal, values: [xx]', ', matchParentBinaries: [{operator: In, values: [/bin/sh]}]'),
    'the map xcols',
  ],
  ['a signal', kprobe('string', 'operator: Equal, values: [xx]', ', matchActions: [{action: Signal, argSig: 15}]'), 'the map acts'],
])('%s needs what the engine of this version has not', (_, spec, what) => {
  const node = link(testInput([testPolicy('p', spec)], { target: WHOLE_ENGINE }));
  expect(node.problems).toEqual([]);
  const [hook] = node.hooks;
  if (hook === undefined) throw new Error('nothing was linked');
  const slots = Array.from({ length: hook.config.readUInt32LE(CFG_LAYOUT.at.nslots) }, (_, i) => readSlot(hook.config, i));
  expect(beyondToday(hook, slots)).toContain(what);
  expect(link(testInput([testPolicy('p', spec)])).problems).toMatchObject([{ reason: 'NotInEngine' }]);
});

it('the commonest shape needs nothing more', () => {
  const [hook] = link(testInput([fileOpenPolicy('etc', { prefix: '/etc/', binaries: ['/bin/sh'] })], { target: WHOLE_ENGINE })).hooks;
  expect(hook === undefined ? null : beyondToday(hook, [readSlot(hook.config, 0)])).toBeNull();
});
