import { describe, expect, it } from 'vitest';
import { PLAIN, styleOf } from './output-style.ts';

const terminal = { isTerminal: true, isErrorTerminal: false, environment: { TERM: 'xterm' } };

describe('Colours', () => {
  it('go to a terminal, each stream by itself', () => {
    expect(styleOf(terminal, 'stdout').red('x')).toBe('\u001b[31mx\u001b[39m');
    expect(styleOf(terminal, 'stderr')).toBe(PLAIN);
  });

  it('go nowhere with NO_COLOR, and not to a dumb terminal; an empty NO_COLOR is none', () => {
    expect(styleOf({ ...terminal, environment: { NO_COLOR: '1' } }, 'stdout')).toBe(PLAIN);
    expect(styleOf({ ...terminal, environment: { TERM: 'dumb' } }, 'stdout')).toBe(PLAIN);
    expect(styleOf({ ...terminal, environment: { NO_COLOR: '' } }, 'stdout')).not.toBe(PLAIN);
  });
});
