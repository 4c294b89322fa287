import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../nodeagent/events/event.ts';
import { createFakeClock } from '../telemetry/testing/fake-clock.ts';
import type { AgentPod, ExecEnd } from './agent-pods.ts';
import { fleetEvents, IDLE_MS, MAX_WAITING } from './fleet-events.ts';

const DONE: ExecEnd = { code: 0, message: '', stderr: '' };

function pod(node: string): AgentPod {
  return { namespace: 'palisade-system', name: `agent-${node}`, node, isRunning: true };
}

function line(node: string, second: number): Buffer {
  const time = `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z`;
  return Buffer.from(`${JSON.stringify({ palisade_loss: { reason: 'SequenceGap', count: '1' }, node_name: node, time })}\n`);
}

type Node = { send(second: number): 'room' | 'full'; sendBytes(bytes: Buffer): void; end(end?: ExecEnd): void };

/** Two nodes and what is shown of them: seconds, and what is missing. */
function start() {
  const clock = createFakeClock();
  const nodes = new Map<string, Node>();
  const shown: string[] = [];
  const missing: string[] = [];
  const finished = fleetEvents({
    pods: [pod('a'), pod('b')],
    run: ({ node }, onOutput, signal) =>
      new Promise((resolve) => {
        nodes.set(node, {
          send: (second) => (onOutput(line(node, second)) === undefined ? 'room' : 'full'),
          sendBytes: (bytes) => void onOutput(bytes),
          end: (end = DONE) => resolve(end),
        });
        signal.addEventListener('abort', () => resolve({ code: null, message: 'aborted', stderr: '' }));
      }),
    follow: 'until the end',
    signal: new AbortController().signal,
    clock,
    onEvent: (event: AgentEvent) => {
      shown.push(`${event.node_name}${Number(event.time.slice(17, 19))}`);
      return Promise.resolve();
    },
    onMissing: (node, reason) => missing.push(`${node}: ${reason}`),
  });
  const of = (node: string): Node => nodes.get(node) ?? { send: () => 'room', sendBytes: () => {}, end: () => {} };
  return { clock, of, shown, missing, finished };
}

describe('events of several nodes', () => {
  it('are told of where one is too long to be kept', async () => {
    const { clock, of, shown, missing, finished } = start();
    await clock.advance(0);
    of('a').sendBytes(Buffer.alloc(3 << 20, 'x'));
    of('a').sendBytes(Buffer.from('\n'));
    of('a').send(1);
    of('a').end();
    of('b').end();
    await finished;
    expect(shown).toEqual(['a1']);
    expect(missing).toEqual(['a: an event of more than 1 MiB is left out']);
  });

  it('come in order of time, however their nodes take turns', async () => {
    const { clock, of, shown, missing, finished } = start();
    await clock.advance(0);
    of('b').send(1);
    of('b').send(4);
    of('b').end();
    await clock.advance(1_000);
    expect(shown).toEqual([]);
    of('a').send(2);
    of('a').send(3);
    of('a').end();
    await clock.advance(0);
    await finished;
    expect([shown, missing]).toEqual([['b1', 'a2', 'a3', 'b4'], []]);
  });

  it('go on without a node that hangs after its first events, and its hole is told once', async () => {
    const { clock, of, shown, missing, finished } = start();
    await clock.advance(0);
    of('a').send(1);
    for (const second of [2, 3]) of('b').send(second);
    of('b').end();
    await clock.advance(IDLE_MS - 1);
    expect([shown, missing]).toEqual([['a1'], []]);
    await clock.advance(1);
    of('a').send(9);
    await finished;
    expect(shown).toEqual(['a1', 'b2', 'b3']);
    expect(missing).toEqual(['a: it said nothing for 30 s; what it had not sent by then is left out']);
  });

  it('of a node that is slow but not silent are waited for', async () => {
    const { clock, of, shown, missing, finished } = start();
    await clock.advance(0);
    of('b').send(30);
    of('b').end();
    for (const second of [1, 2, 3, 4]) {
      await clock.advance(IDLE_MS - 1_000);
      of('a').send(second);
    }
    of('a').end();
    await clock.advance(0);
    await finished;
    expect([shown, missing]).toEqual([['a1', 'a2', 'a3', 'a4', 'b30'], []]);
  });

  it('end when every node that is left hangs from the start', async () => {
    const { clock, missing, shown, finished } = start();
    await clock.advance(IDLE_MS);
    await finished;
    expect(shown).toEqual([]);
    expect(missing.map((text) => text.slice(0, 2))).toEqual(['a:', 'b:']);
  });

  it('that a command in a pod could not give are missing with what it said', async () => {
    const { clock, of, missing, finished } = start();
    await clock.advance(0);
    of('a').end({ code: 1, message: 'command ended with 1', stderr: 'no such file\n' });
    of('b').end();
    await clock.advance(0);
    await finished;
    expect(missing).toEqual(['a: no such file']);
  });

  it('of a node that others hold up stay there, and are not piled up here', async () => {
    const { clock, of, shown, finished } = start();
    await clock.advance(0);
    let sent = 1;
    while (of('b').send(30) === 'room' && sent < 10 * MAX_WAITING) sent += 1;
    expect(sent).toBeLessThan(2 * MAX_WAITING);
    of('a').end();
    await clock.advance(0);
    expect(of('b').send(30)).toBe('room');
    of('b').end();
    await finished;
    expect(shown).toHaveLength(sent + 1);
  });
});
