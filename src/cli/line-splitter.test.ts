import { describe, expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

describe('lines out of chunks', () => {
  it('are whole, wherever the chunks were cut', () => {
    const splitter = new LineSplitter();
    expect(splitter.push(Buffer.from('a\nb'))).toEqual(['a']);
    expect(splitter.push(Buffer.from('c\n\nd'))).toEqual(['bc', '']);
    expect(splitter.push(Buffer.from('\n'))).toEqual(['d']);
  });

  it('leave out one that is too long to its end, count it once, and go on after it', () => {
    const splitter = new LineSplitter(10);
    for (const chunk of ['01234567', '89abc', '0123456789abcdef', 'tail']) expect(splitter.push(Buffer.from(chunk))).toEqual([]);
    expect(splitter.push(Buffer.from(' of it\nnext\n'))).toEqual(['next']);
    expect(splitter.oversized).toBe(1);
  });
});
