import { describe, expect, it } from 'vitest';
import { parse } from './parse.ts';
import { MAX_PROBLEMS } from './problem.ts';
import { policyObject, problemsOf, codesOf } from './testing/policies.ts';

const kprobe = { call: 'security_file_open', syscall: false };

describe('reading a policy object', () => {
  it('fills in the defaults of the language', () => {
    const result = parse(policyObject({ kprobes: [{ call: 'sys_execve', args: [{ index: 0 }] }] }));
    expect(result).toMatchObject({ ok: true, value: { spec: { kprobes: [{ syscall: true, return: false, args: [{ type: 'auto' }] }] } } });
  });

  it('remembers which object it was', () => {
    const result = parse(policyObject({ kprobes: [kprobe] }, 'TracingPolicyNamespaced'));
    expect(result).toMatchObject({
      ok: true,
      value: { kind: 'TracingPolicyNamespaced', namespace: 'team-a', name: 'test', uid: 'u-1', generation: 1 },
    });
  });

  it('tells every misspelt field, with the field that was meant', () => {
    const lines = problemsOf(
      policyObject({ kprobes: [{ ...kprobe, argz: [], selectors: [{ matchBinarys: [], matchArg: [] }] }], lsmhook: [] }),
    );
    expect(new Set(lines)).toEqual(
      new Set([
        'spec.kprobes[0].argz: unknown field "argz"; did you mean "args"?',
        'spec.kprobes[0].selectors[0].matchBinarys: unknown field "matchBinarys"; did you mean "matchBinaries"?',
        'spec.kprobes[0].selectors[0].matchArg: unknown field "matchArg"; did you mean "matchArgs"?',
        'spec.lsmhook: unknown field "lsmhook"; did you mean "lsmhooks"?',
      ]),
    );
  });

  it('finds misspelt fields inside macros and label selectors too', () => {
    expect(codesOf(policyObject({ selectorsMacros: { web: { matchArgz: [] } }, podSelector: { matchLabel: {} } }))).toEqual([
      'UnknownField',
      'UnknownField',
      'NoHooks',
    ]);
  });

  it.each([
    [{ kprobes: [{}] }, 'spec.kprobes[0].call: is required'],
    [{ kprobes: {} }, 'spec.kprobes: must be a list, not an object; write a list: put "- " before each of its members'],
    [{ kprobes: [{ ...kprobe, tags: 'a' }] }, 'spec.kprobes[0].tags: must be a list, not the text "a"; write a list: [a]'],
    [
      { kprobes: [{ ...kprobe, return: 'true' }] },
      'spec.kprobes[0].return: must be true or false, not the text "true"; leave out the quotes',
    ],
    [
      { kprobes: [{ ...kprobe, args: [{ index: '1' }] }] },
      'spec.kprobes[0].args[0].index: must be a number, not the text "1"; leave out the quotes',
    ],
    [{ podSelector: { matchLabels: { ['__proto__']: 'x' } } }, 'spec.podSelector.matchLabels.__proto__: nothing can have the name'],
    [{ kprobes: [{ ...kprobe, syscall: 'yes' }] }, 'spec.kprobes[0].syscall: must be true or false, not the text "yes"'],
    [{ kprobes: [{ call: 5 }] }, 'spec.kprobes[0].call: must be a text, not 5; put it in quotes: "5"'],
    [{ kprobes: [{ ...kprobe, args: [{ index: -1, type: 'int' }] }] }, 'spec.kprobes[0].args[0].index: -1 is too little; at least 0'],
    [
      { kprobes: [{ ...kprobe, args: [{ index: 0, type: 'strng' }] }] },
      'spec.kprobes[0].args[0].type: "strng" is not one of its values; did you mean "string"?',
    ],
    [{ podSelector: { matchLabels: { app: 'not a label' } } }, 'spec.podSelector.matchLabels.app: "not a label" is not allowed'],
    [{ kprobes: [{ ...kprobe, return: true }] }, 'spec.kprobes[0]: "return: true" needs returnArg'],
    [{ lists: [{ name: 'a', type: 'x' }] }, '"x" is not one of its values; use one of syscalls, generated_syscalls, generated_ftrace'],
    [{ hostSelector: { matchLabels: {} } }, 'spec.hostSelector: hostSelector must be null or {}'],
    [{ uprobes: [{ path: '/x', symbols: ['a'], addrs: [1] }] }, 'spec.uprobes[0]: at most one of symbols, offsets and addrs'],
  ])('says what is wrong in %j', (spec, line) => {
    expect(problemsOf(policyObject(spec))[0]).toContain(line);
  });

  it('reads null as absent, as the API server stores it', () => {
    expect(parse(policyObject({ kprobes: [{ ...kprobe, selectors: null }], podSelector: null }))).toMatchObject({ ok: true });
  });

  it('refuses objects of other kinds, without a name, or in the wrong place', () => {
    expect(codesOf({ ...policyObject({}), kind: 'Pod' })).toContain('UnknownKind');
    expect(codesOf({ ...policyObject({}), apiVersion: 'v1' })).toContain('UnknownKind');
    expect(codesOf({ ...policyObject({}), metadata: { name: 'Not A Name' } })).toContain('BadName');
    expect(codesOf({ ...policyObject({}), metadata: { name: 'x', namespace: 'default' } })).toContain('BadName');
    expect(codesOf({ ...policyObject({}, 'TracingPolicyNamespaced'), metadata: { name: 'x' } })).toContain('BadName');
    expect(codesOf(null)).toEqual(['NotAnObject']);
  });

  it('accepts an object that is being created from generateName', () => {
    expect(parse({ ...policyObject({ kprobes: [kprobe] }), metadata: { generateName: 'x-' } })).toMatchObject({ ok: true });
  });

  it('stops at absurd depth instead of following it', () => {
    let spec: object = {};
    for (let depth = 0; depth < 5000; depth += 1) {
      spec = { deeper: spec };
    }
    expect(codesOf(policyObject(spec))).toEqual(['TooDeep']);
  });

  it('answers a policy full of mistakes with a bounded list that says how much it leaves out', () => {
    const spec = Object.fromEntries(Array.from({ length: 5000 }, (_, number) => [`wrong${number}`, 1]));
    const lines = problemsOf(policyObject(spec));
    expect(lines).toHaveLength(MAX_PROBLEMS + 1);
    expect(lines.at(-1)).toBe(`spec: and ${5000 - MAX_PROBLEMS} more problems`);
  });

  it('quotes and shortens what users wrote, so that a message cannot carry control characters or a novel', () => {
    const [line] = problemsOf(policyObject({ ['evil\u001b[31m'.repeat(100)]: 1 }));
    expect(line).not.toContain('\u001b');
    expect(line?.length).toBeLessThan(600);
  });

  it.each(['\u007f', '\u009b2J', '\u202e', '\u2028', '\ufeff', '\u00a0', '\u3000', '\u00ad', '\u{e0041}'])(
    'shows %j as an escape, wherever it stands',
    (evil) => {
      const text = problemsOf(
        policyObject({ [`a${evil}`]: 1, lsmhooks: [{ hook: 'x', args: [{ index: 0, type: evil }] }], loader: evil }),
      ).join(' ');
      expect(text).not.toContain(evil.charAt(0));
      expect(text).toContain('\\u');
    },
  );
});
