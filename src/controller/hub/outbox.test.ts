import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../telemetry/testing/fake-clock.ts';
import { createOutbox, createSendBudget } from './outbox.ts';

/** A socket whose other side reads only when it is told to. */
function setUp(budget = createSendBudget()) {
  const clock = createFakeClock();
  const sent: (string | Buffer)[] = [];
  const due: (string | Buffer)[] = [];
  const slow: string[] = [];
  const socket = {
    bufferedAmount: 0,
    send: (data: string | Buffer) => {
      sent.push(data);
      socket.bufferedAmount += data.length;
    },
  };
  const outbox = createOutbox({
    socket,
    budget,
    clock,
    slowMs: 30_000,
    next: () => due.shift(),
    onSent: () => {},
    onSlow: (why) => slow.push(why),
  });
  return { clock, socket, outbox, sent, due, slow, budget };
}

const mebibyte = Buffer.alloc(1024 * 1024 + 1);

describe('sending to an agent', () => {
  test('goes on as long as the agent reads', () => {
    const { outbox, due, sent } = setUp();
    due.push('a', 'b', 'c');
    outbox.pump();
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  test('pauses beyond a mebibyte that waits, and goes on when it was read', async () => {
    const { clock, socket, outbox, due, sent } = setUp();
    due.push(mebibyte, 'later');
    outbox.pump();
    expect(sent).toHaveLength(1);
    socket.bufferedAmount = 0;
    await clock.advance(50);
    expect(sent).toHaveLength(2);
  });

  test('gives up on an agent that has not read for half a minute', async () => {
    const { clock, outbox, due, slow } = setUp();
    due.push(mebibyte, 'later');
    outbox.pump();
    await clock.advance(29_000);
    expect(slow).toEqual([]);
    await clock.advance(1_100);
    expect(slow).toHaveLength(1);
  });

  test('gives up at once beyond four mebibytes', () => {
    const { socket, outbox, due, slow } = setUp();
    socket.bufferedAmount = 4 * 1024 * 1024 + 1;
    due.push('a');
    outbox.pump();
    expect(slow).toHaveLength(1);
  });

  test('waits while all agents together have too much that waits, but not for itself alone', () => {
    const budget = createSendBudget(100);
    const first = setUp(budget);
    first.due.push('x'.repeat(200), 'more');
    first.outbox.pump();
    expect(first.sent).toHaveLength(1);
    const second = setUp(budget);
    second.due.push('hello', 'again');
    second.outbox.pump();
    expect(second.sent).toEqual(['hello']);
    first.outbox.stop();
    second.outbox.pump();
    expect(second.sent).toEqual(['hello', 'again']);
  });

  test('sends nothing after it was stopped', async () => {
    const { clock, outbox, due, sent } = setUp();
    outbox.stop();
    due.push('a');
    outbox.pump();
    await clock.advance(1_000);
    expect(sent).toEqual([]);
  });
});
