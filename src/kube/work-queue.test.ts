import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { createFakeClock } from '../telemetry/testing/fake-clock.ts';
import { createRetryLimiter } from './retry-limiter.ts';
import { createTokenBucket } from './token-bucket.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

const setUp = () => {
  const clock = createFakeClock();
  const metrics = createMetrics();
  return { clock, metrics, queue: createWorkQueue({ name: 'test', clock, metrics }) };
};

async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) {
    const key = await queue.take();
    if (key !== undefined) {
      keys.push(key);
      queue.done(key);
    }
  }
  return keys;
}

describe('a work queue', () => {
  test('hands a key out once, however often it was added', async () => {
    const { queue } = setUp();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    expect(await drain(queue)).toEqual(['a', 'b']);
  });

  test('hands a key out again when it was added during its work, but not to a second worker meanwhile', async () => {
    const { queue } = setUp();
    queue.add('a');
    const key = await queue.take();
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done(key ?? '');
    expect(await drain(queue)).toEqual(['a']);
  });

  test('hands keys to whoever waits, in order', async () => {
    const { queue } = setUp();
    const first = queue.take();
    const second = queue.take();
    queue.add('a');
    queue.add('b');
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });

  test('holds a delayed key back until its time', async () => {
    const { queue, clock } = setUp();
    queue.addAfter('a', 1_000);
    await clock.advance(999);
    expect(queue.length).toBe(0);
    await clock.advance(1);
    expect(queue.length).toBe(1);
  });

  test('keeps the earlier of two delays', async () => {
    const { queue, clock } = setUp();
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 100);
    queue.addAfter('a', 5_000);
    await clock.advance(100);
    expect(await drain(queue)).toEqual(['a']);
    await clock.advance(10_000);
    expect(queue.length).toBe(0);
  });

  test('a delay of years does not fire at once', async () => {
    const { queue, clock } = setUp();
    queue.addAfter('a', 1e15);
    await clock.advance(60_000);
    expect(queue.length).toBe(0);
  });

  test('doubles the delay of a key that fails again and again, until it is forgotten', async () => {
    const { queue, clock } = setUp();
    for (const delayMs of [5, 10, 20, 40]) {
      queue.addRateLimited('a');
      await clock.advance(delayMs - 1);
      expect(queue.length).toBe(0);
      await clock.advance(1);
      await drain(queue);
    }
    expect(queue.retries('a')).toBe(4);
    queue.forget('a');
    queue.addRateLimited('a');
    await clock.advance(5);
    expect(queue.length).toBe(1);
  });

  test('shut down: hands out what waits, drops what is delayed, and lets the workers go', async () => {
    const { queue, clock } = setUp();
    queue.add('a');
    queue.addAfter('b', 10);
    const worker = (async () => {
      const seen: string[] = [];
      for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
        seen.push(key);
        queue.done(key);
      }
      return seen;
    })();
    queue.shutDown();
    queue.add('c');
    expect(await worker).toEqual(['a']);
    expect(clock.pendingTimers()).toBe(0);
  });

  test('counts what it does', async () => {
    const { queue, metrics } = setUp();
    queue.add('a');
    queue.add('a');
    expect(await metrics.text()).toContain('palisade_workqueue_adds_total{name="test"} 1');
    expect(await metrics.text()).toContain('palisade_workqueue_depth{name="test"} 1');
  });

  test('never loses a key and never works on one twice at a time, whatever the order of calls', async () => {
    const step = fc.record({ call: fc.constantFrom('add', 'take', 'done'), key: fc.constantFrom('a', 'b', 'c') });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { queue } = setUp();
        const working = new Set<string>();
        const owed = new Set<string>();
        for (const { call, key } of steps) {
          if (call === 'add') {
            queue.add(key);
            owed.add(key);
          } else if (call === 'take' && queue.length > 0) {
            const taken = (await queue.take()) ?? '';
            expect(working.has(taken)).toBe(false);
            working.add(taken);
            owed.delete(taken);
          } else if (call === 'done' && working.delete(key)) {
            queue.done(key);
          }
        }
        for (const key of working) {
          queue.done(key);
        }
        expect((await drain(queue)).toSorted()).toEqual([...owed].toSorted());
      }),
    );
  });
});

describe('a retry limiter', () => {
  test('never delays beyond its bound', () => {
    const limiter = createRetryLimiter({ clock: createFakeClock(), maxMs: 1_000 });
    for (let failure = 0; failure < 50; failure += 1) {
      expect(limiter.delayMs('a')).toBeLessThanOrEqual(1_000);
    }
  });

  test('limits all keys together', () => {
    const clock = createFakeClock();
    const limiter = createRetryLimiter({ clock, bucket: createTokenBucket({ clock, perSecond: 10, burst: 1 }) });
    expect(limiter.delayMs('a')).toBe(5);
    expect(limiter.delayMs('b')).toBe(100);
    expect(limiter.delayMs('c')).toBe(200);
  });
});

describe('a token bucket', () => {
  test('fills up with time, to its burst', async () => {
    const clock = createFakeClock();
    const bucket = createTokenBucket({ clock, perSecond: 2, burst: 3 });
    expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, true, false]);
    await clock.advance(500);
    expect([bucket.tryTake(), bucket.tryTake()]).toEqual([true, false]);
    await clock.advance(60_000);
    expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, true, false]);
  });
});
