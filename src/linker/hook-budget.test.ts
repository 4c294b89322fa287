import { describe, expect, it } from 'vitest';
import { link } from './link.ts';
import type { LinkPolicy } from './link-input.ts';
import type { LinkTarget } from './link-target.ts';
import { testInput } from './testing/kernels.ts';
import { testPolicy } from './testing/policies.ts';

/** One engine on each point, so that every bound is met. */
const ONE_ENGINE: LinkTarget = { lanesPerHook: 1, tables: 'all' };

function problemsOf(...policies: readonly LinkPolicy[]): readonly (readonly string[])[] {
  return link(testInput(policies, { target: ONE_ENGINE })).problems.map(({ uid, reason, path }) => [uid, reason, path]);
}

function kprobe(name: string, type: string, filters: string): LinkPolicy {
  return testPolicy(
    name,
    `kprobes: [{call: f, syscall: false, args: [{index: 0, type: ${type}}], selectors: [{matchArgs: [${filters}]}]}]`,
  );
}

function list(count: number, value: (i: number) => string): string {
  return JSON.stringify(Array.from({ length: count }, (_, i) => value(i)));
}

describe('what does not fit one hook names a reason and a field', { timeout: 60_000 }, () => {
  it('substrings with more different bytes than an automaton tells apart', () => {
    const all = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).filter((char) => char !== '"' && char !== '\\');
    const policy = kprobe('bytes', 'string', `{index: 0, operator: SubString, values: ${JSON.stringify(all)}}`);
    expect(problemsOf(policy)).toEqual([['bytes', 'SubstringBudget', 'spec.kprobes[0].selectors[0]']]);
  });

  it('two policies whose substrings have too many different bytes together do fit: each has an automaton', () => {
    const letters = (from: number): string => list(40, (i) => String.fromCharCode(0xa1 + from + i));
    const policies = ['a', 'b'].map((name, i) => kprobe(name, 'string', `{index: 0, operator: SubString, values: ${letters(20 * i)}}`));
    expect(problemsOf(...policies)).toEqual([]);
  });

  it('substrings that need too many states, of one policy and of all together', () => {
    const values = (seed: string): string => list(1500, (i) => `${String(i).padStart(5, '0')}-${seed}-abcdefghij`);
    const filter = (seed: string): string => `{index: 0, operator: SubString, values: ${values(seed)}}`;
    expect(problemsOf(kprobe('a', 'string', filter('x')))).toEqual([]);
    const both = [kprobe('a', 'string', filter('x')), kprobe('b', 'string', filter('y'))];
    expect(problemsOf(...both)).toEqual([[expect.any(String), 'SubstringBudget', 'spec.kprobes[0]']]);
    const alone = kprobe(
      'c',
      'string',
      `{index: 0, operator: SubString, values: ${list(2000, (i) => `${String(i).padStart(5, '0')}-abcdefghijklmnopq`)}}`,
    );
    expect(problemsOf(alone)).toEqual([['c', 'SubstringBudget', 'spec.kprobes[0].selectors[0]']]);
  });

  it('a ninth expression', () => {
    const policies = Array.from({ length: 9 }, (_, i) =>
      kprobe(`p${i}`, 'int', `{index: 0, operator: CelExpr, values: ["arg0 == int32(${i})"]}`),
    );
    expect(problemsOf(...policies)).toEqual([[expect.any(String), 'CelBudget', 'spec.kprobes[0]']]);
    expect(problemsOf(...policies.slice(0, 8))).toEqual([]);
  });

  it('long texts in more pieces than planes', () => {
    const long = (i: number): string => `${String(i).padStart(4, '0')}${'x'.repeat(4000)}`;
    expect(problemsOf(kprobe('few', 'string', `{index: 0, operator: Equal, values: ${list(10, long)}}`))).toEqual([]);
    expect(problemsOf(kprobe('many', 'string', `{index: 0, operator: Equal, values: ${list(20, long)}}`))).toEqual([
      ['many', 'TooManyPlanes', 'spec.kprobes[0]'],
    ]);
  });

  it('more rows than a map has: ranges become several', () => {
    const ranges = (count: number): string => list(count, (i) => `${1000 * i + 1}:${1000 * i + 998}`);
    const inMap = (count: number): string => `{index: 0, operator: InMap, values: ${ranges(count)}}`;
    expect(problemsOf(kprobe('fits', 'uint64', inMap(2000)))).toEqual([]);
    expect(problemsOf(kprobe('large', 'uint64', inMap(8000)))).toEqual([['large', 'SetTooLarge', 'spec.kprobes[0]']]);
  });

  it('many policies with the same long list do fit: their values share rows', () => {
    const files = (from: number): string => `{index: 0, operator: Prefix, values: ${list(1000, (i) => `/srv/${from + i}/`)}}`;
    const same = Array.from({ length: 80 }, (_, i) => kprobe(`p${i}`, 'string', files(0)));
    expect(problemsOf(...same)).toEqual([]);
    const different = Array.from({ length: 66 }, (_, i) => kprobe(`p${i}`, 'string', files(1000 * i)));
    expect(problemsOf(...different)).toEqual([[expect.any(String), 'SetTooLarge', 'spec.kprobes[0]']]);
  });

  it('a ninth signal', () => {
    const policies = Array.from({ length: 9 }, (_, i) =>
      testPolicy(`p${i}`, `kprobes: [{call: f, syscall: false, selectors: [{matchActions: [{action: Signal, argSig: ${10 + i}}]}]}]`),
    );
    expect(problemsOf(...policies)).toEqual([[expect.any(String), 'TooManyActions', 'spec.kprobes[0]']]);
  });

  it('paths of executables of more than 255 bytes in too many pieces', () => {
    const long = (i: number): string => `/${String(i).padStart(4, '0')}${'x'.repeat(1000)}`;
    const policy = (name: string, count: number): LinkPolicy =>
      testPolicy(
        name,
        `kprobes: [{call: f, syscall: false, selectors: [{matchBinaries: [{operator: Prefix, values: ${list(count, long)}}]}]}]`,
      );
    expect(problemsOf(policy('few', 60))).toEqual([]);
    expect(problemsOf(policy('many', 100))).toEqual([['many', 'NodeSetBudget', 'spec.kprobes[0].selectors[0]']]);
  });
});
