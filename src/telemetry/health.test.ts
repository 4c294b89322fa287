import { expect, test } from 'vitest';
import { createHealth } from './health.ts';
import { startHealthServer } from './health-server.ts';
import { silentLog } from './log.ts';
import { createMetrics } from './metrics.ts';

test('a process without checks is live and ready', () => {
  expect(createHealth().live().ok).toBe(true);
  expect(createHealth().ready().ok).toBe(true);
});

test('a failed check names itself and its reason', () => {
  const health = createHealth();
  health.addReadiness('caches', () => 'pods have not been listed yet');
  health.addReadiness('listener', () => undefined);
  const report = health.ready();
  expect(report.ok).toBe(false);
  expect(report.lines).toEqual(['[-] caches: pods have not been listed yet', '[+] listener']);
});

test('a check that throws is a failed check', () => {
  const health = createHealth();
  health.addLiveness('odd', () => {
    throw new Error('broken');
  });
  expect(health.live().lines[0]).toContain('broken');
});

test('the server answers probes and metrics, refuses the rest, and ends with its signal', async () => {
  const stopper = new AbortController();
  const health = createHealth();
  const metrics = createMetrics();
  metrics.counter('answers_total', 'Answers.').inc({});
  health.addReadiness('never', () => 'not today');
  const { port } = await startHealthServer({
    listen: { host: '127.0.0.1', port: 0 },
    health,
    metrics,
    log: silentLog,
    signal: stopper.signal,
  });
  const get = (path: string, method = 'GET'): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, { method });
  expect((await get('/healthz')).status).toBe(200);
  const ready = await get('/readyz?verbose');
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain('not today');
  expect(await (await get('/metrics')).text()).toContain('palisade_answers_total 1');
  expect((await get('/secrets')).status).toBe(404);
  expect((await get('/metrics', 'POST')).status).toBe(405);
  stopper.abort();
  await expect(get('/healthz')).rejects.toThrow();
});
