import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createFakeClock } from '../../telemetry/testing/fake-clock.ts';
import type { Origin } from '../events/checkpoint.ts';
import type { Emitted } from '../events/pipeline.ts';
import { progressAfter, readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint-file.ts';
import { countLinesFrom } from './exported-lines.ts';
import { ExportQueue, type ExportedLine, type LineSink } from './export-queue.ts';
import { RotatingFile, type FilePosition } from './rotating-file.ts';

const item = (seq: number): Emitted => ({
  event: { palisade_loss: { reason: 'SequenceGap', count: String(seq) }, node_name: 'n', time: 't' },
  origin: { stream: 'critical-0', seq: BigInt(seq) },
});

function setUp(sink: LineSink, maxQueuedBytes = 1 << 20) {
  const clock = createFakeClock();
  const batches: (readonly ExportedLine[])[] = [];
  const done: bigint[] = [];
  const queue = new ExportQueue({
    sink,
    flushMs: 100,
    batchBytes: 1 << 20,
    maxQueuedBytes,
    clock,
    log: silentLog,
    metrics: createMetrics(),
    onBatch: (lines) => void batches.push(lines),
    onDone: ({ seq }) => void done.push(seq),
  });
  return { clock, queue, batches, done };
}

describe('The export queue', () => {
  test('writes in batches, and tells readers only of what is in the file', async () => {
    const written: string[] = [];
    const { clock, queue, batches, done } = setUp({ append: (bytes) => Promise.resolve(void written.push(bytes.toString())) });
    queue.push([item(1)]);
    queue.push([item(2)]);
    expect(batches).toEqual([]);
    await clock.advance(100);
    expect(written).toHaveLength(1);
    expect(written[0]?.split('\n')).toHaveLength(3);
    expect(batches.flat()).toHaveLength(2);
    expect(done).toEqual([1n, 2n]);
  });

  test('never holds more than its bound, whatever the disk does, and counts what it dropped', async () => {
    let release = (): void => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { clock, queue, done } = setUp({ append: () => stuck }, 400);
    for (let seq = 0; seq < 20; seq += 1) queue.push([item(seq)]);
    await clock.advance(100);
    expect(queue.dropped).toBeGreaterThan(10);
    expect(done.length).toBe(queue.dropped);
    release();
  });

  test('goes on after the disk has refused, and says why it lacks lines', async () => {
    let isFull = true;
    const { queue, batches } = setUp({ append: () => (isFull ? Promise.reject(new Error('no space left')) : Promise.resolve()) });
    queue.push([item(1)]);
    await queue.flush();
    expect(queue.fault).toBe('no space left');
    expect(batches.flat()).toHaveLength(1);
    isFull = false;
    queue.push([item(2)]);
    await queue.flush();
    expect(queue.fault).toBeNull();
    expect(queue.dropped).toBe(1);
  });
});

describe('The export file', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'export-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('moves aside when it is full, keeps so many, and is for its owner only', async () => {
    const path = join(folder, 'log', 'events.log');
    const file = new RotatingFile({ path, maxBytes: 10, backups: 2 });
    for (const text of ['aaaaaaaa\n', 'bbbbbbbb\n', 'cccccccc\n', 'dddddddd\n']) await file.append(Buffer.from(text));
    await file.close();
    expect((await readdir(join(folder, 'log'))).toSorted()).toEqual(['events.log', 'events.log.1', 'events.log.2']);
    expect(await readFile(path, 'utf8')).toBe('dddddddd\n');
    expect(await readFile(`${path}.2`, 'utf8')).toBe('bbbbbbbb\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('is continued by the next agent, which can tell how much of the last batch it has', async () => {
    const path = join(folder, 'events.log');
    const first = new RotatingFile({ path, maxBytes: 1000, backups: 2 });
    await first.append(Buffer.from('{"a":1}\n'));
    const begins: FilePosition[] = [];
    await first.append(Buffer.from('{"a":2}\n{"palisade_loss":{}}\n{"a":3}\n{"cut'), (position) => void begins.push(position));
    const begin = begins[0] ?? { inode: '', bytes: 0 };
    await first.close();
    expect(await countLinesFrom(path, begin)).toBe(3);
    expect(await countLinesFrom(path, { inode: '1', bytes: 0 })).toBe(Infinity);
    const second = new RotatingFile({ path, maxBytes: 1000, backups: 2 });
    await second.open();
    expect(second.position.bytes).toBe((await stat(path)).size);
    await second.append(Buffer.from('{"a":4}\n'));
    expect((await readFile(path, 'utf8')).split('\n').slice(-3)).toEqual(['{"cut', '{"a":4}', '']);
    await second.close();
  });
});

describe('The checkpoint of the export', () => {
  const origin = (seq: bigint): Origin => ({ stream: 'critical-0', seq });

  test('tells the next agent what is exported, whatever of the last batch got into the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
    const path = join(folder, 'checkpoint');
    const checkpoint: Checkpoint = {
      boot: 'b',
      rings: 7,
      file: { inode: '1', bytes: 10 },
      streams: new Map([['critical-0', { high: 9n, open: [{ from: 3n, to: 9n }] }]]),
      batch: [origin(3n), origin(4n), null, origin(5n), origin(5n), origin(8n)],
    };
    writeCheckpoint(path, checkpoint);
    expect(readCheckpoint(path)).toEqual(checkpoint);
    const open = (written: number) => progressAfter(checkpoint, written).get('critical-0')?.open;
    expect(open(0)).toEqual([{ from: 3n, to: 9n }]);
    // Half of a record's lines are not the record.
    expect(open(4)).toEqual([{ from: 5n, to: 9n }]);
    expect(open(Infinity)).toEqual([
      { from: 6n, to: 7n },
      { from: 9n, to: 9n },
    ]);
    await writeFile(path, '{"cut');
    expect(readCheckpoint(path)).toBeNull();
    await rm(folder, { recursive: true });
  });
});
