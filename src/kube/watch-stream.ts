import { z } from 'zod';
import { errorFromStatus, KubeError } from './kube-error.ts';
import { parseObject, type KubeObject } from './kube-object.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  /** Nothing changed up to this version: where to resume. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** Longest event; etcd objects are at most 1.5 MiB, and both new and old never travel together. */
export const MAX_EVENT_BYTES = 16 << 20;

const NEWLINE = 0x0a;

const eventSchema = z.object({ type: z.string(), object: z.unknown() });
const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });

/** Events of a watch's body, in order. An ERROR event is thrown as the KubeError of its Status (`Expired` for 410). */
export async function* readWatch(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent> {
  for await (const line of splitLines(chunks)) {
    const event = parseEvent(line);
    if (event !== undefined) {
      yield event;
    }
  }
}

/** Undefined for types that a newer API may add. */
function parseEvent(line: Buffer): WatchEvent | undefined {
  const event = eventSchema.safeParse(parseJson(line));
  if (!event.success) {
    throw new KubeError('Malformed', 'the watch sent a line that is no event');
  }
  const { type, object } = event.data;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: parseObject(object) };
    case 'BOOKMARK':
      return bookmark(object);
    case 'ERROR':
      throw errorFromStatus(500, object);
    default:
      return undefined;
  }
}

function bookmark(object: unknown): WatchEvent {
  const result = bookmarkSchema.safeParse(object);
  if (!result.success) {
    throw new KubeError('Malformed', 'the watch sent a bookmark without a resourceVersion');
  }
  return { type: 'BOOKMARK', resourceVersion: result.data.metadata.resourceVersion };
}

function parseJson(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw new KubeError('Malformed', 'the watch sent a line that is no JSON', { cause });
  }
}

/** Cuts at line feeds; a rest without one is dropped: the connection broke inside an event, which will come again. */
async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE, start); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pieces.push(chunk.subarray(start, end));
      const line = Buffer.concat(pieces);
      pieces = [];
      pendingBytes = 0;
      start = end + 1;
      if (line.length > 0) {
        yield line;
      }
    }
    pieces.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_EVENT_BYTES) {
      throw new KubeError('Malformed', `the watch sent an event of more than ${MAX_EVENT_BYTES} bytes`);
    }
  }
}
