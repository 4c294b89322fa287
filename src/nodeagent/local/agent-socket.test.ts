import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import type { AgentEvent } from '../events/event.ts';
import type { ExportedLine } from '../export/export-queue.ts';
import { AgentClientError, askAgent, followAgent } from './agent-client.ts';
import { AgentSocket } from './agent-socket.ts';
import { changedAnswerSchema, eventsAnswerSchema, purgedAnswerSchema, type AgentRequests } from './requests.ts';

const event = (pod: string, padding = ''): ExportedLine => {
  const shown: AgentEvent = {
    process_exec: {
      process: {
        exec_id: 'x',
        pid: 1,
        uid: 0,
        binary: `/bin/sh${padding}`,
        flags: '',
        start_time: '',
        tid: 1,
        pod: { namespace: 'default', name: pod },
      },
    },
    node_name: 'n',
    time: '2026-01-01T00:00:00.000000000Z',
  };
  return { line: JSON.stringify(shown), emitted: { event: shown, origin: null } };
};

const requests: AgentRequests = {
  status: () => Promise.reject(new Error('the loader does not answer')),
  suspend: (policy) => Promise.resolve({ changed: policy === 'p' }),
  resume: () => Promise.resolve({ changed: false }),
  purge: () => Promise.resolve({ removed: 3, left: [] }),
};

describe('The agent’s socket', () => {
  let folder = '';
  let path = '';
  let stopper = new AbortController();
  let metrics = createMetrics();
  let agent: AgentSocket;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'socket-'));
    path = join(folder, 'events.sock');
    stopper = new AbortController();
    metrics = createMetrics();
    agent = new AgentSocket({
      path,
      maxBufferedBytes: 100_000,
      exported: () => ({ file: { path: '/x', inode: '1', bytes: 7, backups: 5 } }),
      requests,
      log: silentLog,
      metrics,
      signal: stopper.signal,
    });
    await agent.listen();
  });
  afterEach(async () => {
    stopper.abort();
    await rm(folder, { recursive: true, force: true });
  });

  test('is for its own user only', async () => {
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('answers a request, or says why not', async () => {
    expect(await askAgent(path, { op: 'suspend', policy: 'p' }, changedAnswerSchema)).toEqual({ changed: true });
    expect(await askAgent(path, { op: 'purge' }, purgedAnswerSchema)).toEqual({ removed: 3, left: [] });
    await expect(askAgent(path, { op: 'status' }, changedAnswerSchema)).rejects.toThrow('the loader does not answer');
  });

  test('sends a reader the events that fit, after telling where the file stood', async () => {
    const reader = await followAgent(path, { op: 'events', filter: { pod: 'web' } }, eventsAnswerSchema);
    expect(reader.answer.file?.bytes).toBe(7);
    agent.publish([event('db-1'), event('web-1')]);
    for await (const line of reader.lines) {
      expect(line).toContain('web-1');
      break;
    }
    reader.close();
  });

  test('drops a reader that does not keep up, and counts it', async () => {
    const lazy = createConnection(path);
    lazy.write(`${JSON.stringify({ op: 'events', filter: {} })}\n`);
    await new Promise((resolve) => lazy.once('readable', resolve));
    const closed = new Promise((resolve) => lazy.once('close', resolve));
    const big = event('web', 'x'.repeat(50_000));
    for (let i = 0; i < 100; i += 1) agent.publish([big]);
    lazy.resume();
    await closed;
    expect(await metrics.text()).toContain('palisade_agent_slow_readers_total 1');
  });

  test('refuses what is no request, and what is too long for one', async () => {
    const say = async (text: string): Promise<string> => {
      const socket = createConnection(path);
      socket.write(text);
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      return answer;
    };
    expect(await say('{"op":"reboot"}\n')).toContain('error');
    expect(await say('not json\n')).toContain('not one line of JSON');
    expect(await say('x'.repeat(5000))).toContain('error');
  });

  test('that nobody serves is named by the client', async () => {
    await expect(askAgent(join(folder, 'none'), { op: 'status' }, changedAnswerSchema)).rejects.toThrow(AgentClientError);
  });

  test('an agent that ends before it listens leaves no server behind, which would keep its process alive', async () => {
    const late = new AgentSocket({
      path: join(folder, 'late.sock'),
      maxBufferedBytes: 1000,
      exported: () => ({ file: null }),
      requests,
      log: silentLog,
      metrics: createMetrics(),
      signal: AbortSignal.abort(),
    });
    await late.listen();
    await expect(stat(join(folder, 'late.sock'))).rejects.toThrow('ENOENT');
  });
});
