import { describe, expect, it } from 'vitest';
import { codesOf, compiled, policyObject, problemsOf } from '../testing/policies.ts';

const binaries = [{ operator: 'In', values: ['/bin/nc'] }];
const policy = (selector: object, selectorsMacros: object) =>
  policyObject({ lsmhooks: [{ hook: 'file_open', selectors: [selector] }], selectorsMacros });
const selectorOf = (selector: object, macros: object) => compiled(policy(selector, macros)).plan.hooks[0]?.selectors[0];

describe('macros', () => {
  it('add their blocks to those of the selector, as if they stood there', () => {
    const a = { matchBinaries: binaries, label: 'shells' };
    const b = { matchActions: [{ action: 'Sigkill' }] };
    const own = { matchPIDs: [{ operator: 'NotIn', values: [1] }] };
    expect(selectorOf({ ...own, macros: ['b', 'a'] }, { a, b })).toEqual(selectorOf({ ...own, ...a, ...b }, {}));
  });

  it('leave the label to the selector that has one', () => {
    expect(selectorOf({ label: 'own', macros: ['a'] }, { a: { label: 'theirs', matchBinaries: binaries } })?.label).toBe('own');
  });

  it('are looked at where they are used, and their problems named where they stand', () => {
    const a = { matchCapabilities: [{ operator: 'In', values: ['CAP_NONE'] }] };
    expect(problemsOf(policy({ macros: ['a'] }, { a }))[0]).toMatch(/^spec\.selectorsMacros\.a\.matchCapabilities\[0\]\.values\[0\]: /);
  });

  it.each([
    ['a macro that there is not', { macros: ['shell'] }, { shells: {} }, ['UnknownMacro', 'Unused']],
    ['a block of the selector again', { matchBinaries: binaries, macros: ['a'] }, { a: { matchBinaries: binaries } }, ['RepeatedBlock']],
    [
      'a block of two macros',
      { macros: ['a', 'b'] },
      { a: { matchBinaries: binaries }, b: { matchBinaries: binaries } },
      ['RepeatedBlock'],
    ],
    ['a macro twice', { macros: ['a', 'a'] }, { a: { matchBinaries: binaries } }, ['RepeatedBlock']],
    ['two labels', { macros: ['a', 'b'] }, { a: { label: 'a' }, b: { label: 'b' } }, ['RepeatedBlock']],
    ['macros of macros', { macros: ['a'] }, { a: { macros: ['b'] }, b: {} }, ['BadMacro']],
    ['workloads in a macro', { macros: ['a'] }, { a: { matchWorkloads: {} } }, ['BadMacro']],
    ['a macro that nobody uses', {}, { a: { matchBinaries: binaries } }, ['Unused']],
  ])('cannot have %s', (_, selector, macros, codes) => {
    expect(codesOf(policy(selector, macros))).toEqual(codes);
  });

  it('can be named like anything', () => {
    expect(problemsOf(policy({}, { 'a b': {} }))).toEqual([
      'spec.selectorsMacros["a b"]: no selector uses the macro "a b": it is not checked',
    ]);
  });
});
