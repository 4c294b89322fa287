import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALLOWED, type ExpectedVerdict, fits, formatVerdict, happened, readVerdict } from './verdict.ts';

function read(text: string): ExpectedVerdict | string {
  const result = readVerdict(text);
  return result.ok ? result.verdict : `${result.message}; ${result.hint}`;
}

const NOTHING = { isWould: false, errno: null, kill: false, signal: null };

describe('verdicts in words', () => {
  it('reads every form that the documentation lists', () => {
    expect(read('allow')).toEqual(NOTHING);
    expect(read('deny')).toEqual({ ...NOTHING, errno: 'any' });
    expect(read('deny EPERM')).toEqual({ ...NOTHING, errno: -1 });
    expect(read('deny -13')).toEqual({ ...NOTHING, errno: -13 });
    expect(read('deny 13')).toEqual({ ...NOTHING, errno: -13 });
    expect(read('kill')).toEqual({ ...NOTHING, kill: true });
    expect(read('deny EPERM + kill')).toEqual({ ...NOTHING, errno: -1, kill: true });
    expect(read('deny+kill')).toEqual({ ...NOTHING, errno: 'any', kill: true });
    expect(read('signal SIGTERM')).toEqual({ ...NOTHING, signal: 15 });
    expect(read('signal 10')).toEqual({ ...NOTHING, signal: 10 });
    expect(read('would deny EACCES')).toEqual({ ...NOTHING, isWould: true, errno: -13 });
  });

  it('takes SIGKILL for what it is', () => {
    expect(read('signal 9')).toEqual(read('kill'));
    expect(read('signal SIGKILL')).toEqual(read('kill'));
  });

  it('says what would be right', () => {
    expect(read('denny')).toContain('did you mean "deny"?');
    expect(read('deny EPREM')).toContain('did you mean "EPERM"?');
    expect(read('deny 5000')).toContain('is no error of Linux');
    expect(read('signal SIGTREM')).toContain('did you mean "SIGTERM"?');
    expect(read('signal 65')).toContain('from 1 to 64');
    expect(read('kill + kill')).toContain('says two things of a kind');
    expect(read('would allow')).toContain('is no verdict');
    expect(read('')).toContain('is no verdict');
  });

  it('writes what it reads', () => {
    const verdict = fc.record({
      isWould: fc.boolean(),
      errno: fc.constantFrom<ExpectedVerdict['errno']>(null, 'any', -1, -13, -41, -133, -4095, -5000, 0, 7),
      kill: fc.boolean(),
      signal: fc.constantFrom(null, 1, 15, 31, 64),
    });
    fc.assert(
      fc.property(verdict, (one) => {
        const isNothing = one.errno === null && !one.kill && one.signal === null;
        expect(read(formatVerdict(one))).toEqual(isNothing ? NOTHING : one);
      }),
    );
  });

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof read(text) !== 'undefined'));
  });

  it('holds a verdict that is done against one that would be done', () => {
    const deny = { errno: -1, kill: false, signal: null };
    expect(fits({ ...NOTHING, errno: -1 }, happened(deny, ALLOWED))).toBe(true);
    expect(fits({ ...NOTHING, errno: 'any' }, happened(deny, ALLOWED))).toBe(true);
    expect(fits({ ...NOTHING, errno: -13 }, happened(deny, ALLOWED))).toBe(false);
    expect(fits(NOTHING, happened(ALLOWED, deny))).toBe(false);
    expect(fits({ ...NOTHING, isWould: true, errno: -1 }, happened(ALLOWED, deny))).toBe(true);
    // What one policy does hides what another one would do.
    expect(formatVerdict(happened({ ...ALLOWED, kill: true }, deny))).toBe('kill');
  });
});
