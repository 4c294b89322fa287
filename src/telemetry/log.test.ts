import { expect, test } from 'vitest';
import { createLog, silentLog } from './log.ts';

function capture(level: 'debug' | 'info'): { lines: Record<string, unknown>[]; log: ReturnType<typeof createLog> } {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, log: createLog({ level, component: 'webhook', destination }) };
}

test('a line says when, how bad, who, what, and the fields', () => {
  const { lines, log } = capture('info');
  log.with({ key: 'policy/a' }).warn('Watch ended', { delayMs: 800 });
  expect(lines[0]).toMatchObject({ level: 'warn', component: 'webhook', message: 'Watch ended', key: 'policy/a', delayMs: 800 });
  expect(String(lines[0]?.['time'])).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('what is below the level is not written', () => {
  const { lines, log } = capture('info');
  log.debug('Detail');
  expect(lines).toEqual([]);
});

test('an error is written with its message and stack', () => {
  const { lines, log } = capture('debug');
  log.error('Could not read', { error: new Error('no such file') });
  expect(lines[0]?.['error']).toMatchObject({ type: 'Error', message: 'no such file' });
});

test('the silent log is silent', () => {
  expect(silentLog.with({})).toBe(silentLog);
});
