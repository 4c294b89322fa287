import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_EVENT_BYTES, readWatch, type WatchEvent } from './watch-stream.ts';

async function* chunksOf(bytes: Buffer, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) {
    yield bytes.subarray(at, at + step);
  }
}

async function readAll(text: string, step: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of readWatch(chunksOf(Buffer.from(text), step))) {
    events.push(event);
  }
  return events;
}

const line = (type: string, name: string): string =>
  `${JSON.stringify({ type, object: { metadata: { name, uid: 'u', resourceVersion: '7' } } })}\n`;

test('events come out whole and in order, however the bytes are cut', async () => {
  const names = fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(names, fc.integer({ min: 1, max: 40 }), async (list, step) => {
      const events = await readAll(list.map((name) => line('ADDED', name)).join(''), step);
      expect(events.map((event) => (event.type === 'BOOKMARK' ? '' : event.object.metadata.name))).toEqual(list);
    }),
  );
});

test('an event that the connection cut off is dropped, not guessed', async () => {
  expect(await readAll(line('ADDED', 'a') + line('ADDED', 'b').slice(0, -2), 10)).toHaveLength(1);
});

test('bookmarks say where to go on, types of the future are passed over', async () => {
  const text = `${line('FUTURE', 'a')}\n${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } })}\n`;
  expect(await readAll(text, 1_000)).toEqual([{ type: 'BOOKMARK', resourceVersion: '9' }]);
});

test.each([
  ['{"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}}', 'Expired'],
  ['{"type":"ERROR","object":{"code":500}}', 'ServerError'],
  ['{"type":"BOOKMARK","object":{}}', 'Malformed'],
  ['{"type":"ADDED","object":{}}', 'Malformed'],
  ['[]', 'Malformed'],
  ['not json', 'Malformed'],
])('%s is %s', async (text, code) => {
  await expect(readAll(`${text}\n`, 1_000)).rejects.toMatchObject({ code });
});

test('an endless event is given up before memory is', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield Buffer.alloc(1 << 20, 0x20);
    }
  }
  const read = async (): Promise<void> => {
    for await (const event of readWatch(endless())) {
      expect(event).toBeUndefined();
    }
  };
  await expect(read()).rejects.toThrow(`more than ${MAX_EVENT_BYTES} bytes`);
});
