import { describe, expect, it } from 'vitest';
import { plainScalar } from './scalar.ts';

describe('a word without quotes is what kubectl takes it for', () => {
  it.each<[string, unknown]>([
    ['yes', true],
    ['Off', false],
    ['n', false],
    ['tRUE', 'tRUE'],
    ['', null],
    ['~', null],
    ['Null', null],
    ['0644', 420],
    ['0o644', 420],
    ['08', 8],
    ['0b11', 3],
    ['-0x1F', -31],
    ['+5', 5],
    ['1_000', 1000],
    ['_1', '_1'],
    ['0x', '0x'],
    ['1e3', 1000],
    ['.5', 0.5],
    ['1.', 1],
    ['.', '.'],
    ['-', '-'],
    ['1.5.2', '1.5.2'],
    ['1:30', '1:30'],
    ['2001-01-01', '2001-01-01'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['1e400', '1e400'],
    ['0xFFFFFFFFFFFFFFFFFF', '0xFFFFFFFFFFFFFFFFFF'],
  ])('%s', (word, value) => {
    expect(plainScalar(word)).toBe(value);
  });
});
