import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileNamePattern } from './name-pattern.ts';

const names = ['', 'a', 'ab', 'ksys_read', 'ksys_write64', '__x64_sys_dup', 'tcp_v4_connect', 'aaaa', 'foo.constprop.0', 'b'];

function matchesOf(pattern: string): string[] {
  const compiled = compileNamePattern(pattern);
  if (!compiled.ok) {
    throw new Error(compiled.message);
  }
  return names.filter((name) => compiled.matches(name));
}

describe('a pattern for names of functions', () => {
  it.each([
    '^ksys_*',
    'sys_(read|write)',
    '^a?$',
    '^$',
    '(a|b)+$',
    '^[^_]+$',
    '\\.constprop\\.\\d+$',
    '^\\w+$',
    'v[0-9-]_',
    '^a{2,3}$',
    '^(?:a{2}){2}$',
    'a*?b',
    '|x',
    '^(|a)b?$',
    '.{9}',
    '^(a|^b)$',
    '[\\w.]{14,}',
    'a$|^k',
  ])('means in %s what a regular expression of JavaScript means', (pattern) => {
    expect(matchesOf(pattern)).toEqual(names.filter((name) => new RegExp(pattern).test(name)));
  });

  it('means the same for any expression of the common part', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '_', '^', '$');
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => `${left}${right}`),
        fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => `(${left}|${right})`),
        fc.tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?')).map(([of, sign]) => `(${of})${sign}`),
      ),
    }));
    fc.assert(
      fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', '_', '0'), maxLength: 8 }), (text, name) => {
        const compiled = compileNamePattern(text);
        fc.pre(compiled.ok);
        expect(compiled.ok && compiled.matches(name)).toBe(new RegExp(text).test(name));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a back reference', '(a)\\1'],
    ['a look ahead', '(?=a)'],
    ['flags', '(?i)a'],
    ['a named group', '(?P<x>a)'],
    ['classes of POSIX', '[[:alpha:]]'],
    ['an empty class', '[]a]'],
    ['a possessive repetition', 'a*+'],
    ['a lone brace', 'a{'],
    ['a repetition of an anchor', '^*'],
    ['white space', '\\s'],
    ['a letter that is none', 'ä'],
    ['an open group', '(a'],
    ['a group that was never open', 'a)'],
    ['an endless class', '[a'],
    ['a repetition of nothing', '*a'],
    ['too many repetitions', '((a{100}){100}){100}'],
    ['too many characters', 'a'.repeat(257)],
    ['a class from z to a', '[z-a]'],
    ['groups without end', '('.repeat(100)],
  ])('refuses %s', (_, pattern) => {
    expect(compileNamePattern(pattern).ok).toBe(false);
  });

  it('needs little time for what makes other engines hang', () => {
    const compiled = compileNamePattern('^(([a-z_])+.)+[A-Z]([a-z_])+$');
    const startedAt = performance.now();
    expect(compiled.ok && compiled.matches('a_'.repeat(20_000))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('survives any text', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof compileNamePattern(text).ok === 'boolean'));
  });
});
