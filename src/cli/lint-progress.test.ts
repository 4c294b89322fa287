import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { startProgress } from './lint-progress.ts';

function progressOf(isErrorTerminal: boolean, total: number): string {
  const stderr = new PassThrough();
  let nowMs = 0;
  const progress = startProgress({ stderr, isErrorTerminal }, total, () => nowMs);
  for (let done = 0; done < total; done += 1) {
    progress.at(done);
    nowMs += 30;
  }
  progress.end();
  return String(stderr.read() ?? '');
}

it('progress is shown where a person looks on, ten times a second at most, and is gone at the end', () => {
  const shown = progressOf(true, 100);
  expect(shown.split('\r\u001b[K')).toEqual(['', ...Array.from({ length: 25 }, (_, at) => `${at * 4} of 100 files`), '']);
});

it('progress is shown neither in a pipe nor for a few files', () => {
  expect(progressOf(false, 100)).toBe('');
  expect(progressOf(true, 49)).toBe('');
});
