/** The second connection to the loader: raw records of both rings, handed on in batches, as fast as the consumer takes them. */
import type { Socket } from 'node:net';
import { recordLengthAt } from '../../abi/record.ts';
import { encodeFrame, FrameStream, LOADER_OPS, readResult, u32Tlv } from '../../protocol/loader-frames.ts';
import { openSocket } from './frame-connection.ts';
import { LoaderRefusal, LoaderUnavailableError } from './loader-error.ts';

/** Whole records, in the order of their arrival. Views into a buffer that is not used again. */
export type RecordBatch = readonly Buffer[];

export type EventStreamOptions = {
  readonly path: string;
  readonly signal: AbortSignal;
  /**
   * `until acknowledged`: the loader keeps what it sends in the rings, and sends it again to the next reader, until it is told that so many
   * bytes of records are done with. A record may then come twice, and none is lost by the death of either side. Default: `once`.
   */
  readonly delivery?: 'once' | 'until acknowledged';
  /** Called once the loader has agreed: from now on rings are drained. `acknowledge` takes bytes of records since then. */
  readonly onOpen: (acknowledge: (doneBytes: number) => void) => void;
  /** The next batch waits until this one is taken; meanwhile the loader's rings fill, and the engine counts what it loses. */
  readonly onRecords: (batch: RecordBatch) => void | Promise<void>;
};

/** Returns when the connection ended; throws LoaderUnavailableError when it cannot be opened or brought what is no record. */
export async function consumeEvents(options: EventStreamOptions): Promise<void> {
  const socket = await openSocket(options.path, options.signal);
  const onAbort = (): void => void socket.destroy();
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const tlvs = options.delivery === 'until acknowledged' ? [u32Tlv('ACKNOWLEDGE', 1)] : [];
    socket.write(encodeFrame({ op: LOADER_OPS.EVENTS, flags: 0, id: 1, tlvs }));
    await readRecords(socket, options);
  } catch (error) {
    if (options.signal.aborted) return;
    if (error instanceof LoaderUnavailableError || error instanceof LoaderRefusal) throw error;
    throw new LoaderUnavailableError(`the events connection failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

async function readRecords(socket: Socket, options: EventStreamOptions): Promise<void> {
  const answer = new FrameStream();
  let isOpen = false;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    if (!Buffer.isBuffer(chunk)) throw new LoaderUnavailableError('the events connection delivered text');
    let bytes: Buffer = chunk;
    if (!isOpen) {
      const frame = answer.pushOne(chunk);
      if (frame === undefined) continue;
      const result = readResult(frame);
      if (result.stage !== 'ok') throw new LoaderRefusal('EVENTS', result);
      isOpen = true;
      options.onOpen((doneBytes) => acknowledge(socket, doneBytes));
      bytes = Buffer.from(answer.rest());
    }
    const cut = cutRecords(rest.length === 0 ? bytes : Buffer.concat([rest, bytes]));
    rest = cut.rest;
    if (cut.records.length > 0) await options.onRecords(cut.records);
  }
  if (rest.length > 0 && !options.signal.aborted)
    throw new LoaderUnavailableError(`the events connection ended inside a record, after ${rest.length} bytes`);
}

function acknowledge(socket: Socket, doneBytes: number): void {
  if (socket.destroyed || socket.writableEnded) return;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(doneBytes));
  socket.write(bytes);
}

/** The whole records in front, and what is left of the one that is not complete. Throws when the bytes are no records. */
export function cutRecords(bytes: Buffer): { readonly records: RecordBatch; readonly rest: Buffer } {
  const records: Buffer[] = [];
  let offset = 0;
  for (;;) {
    const length = recordLengthAt(bytes, offset);
    if (length === -1)
      throw new LoaderUnavailableError(
        `the events connection is out of step: no record can begin with ${bytes.subarray(offset, offset + 8).toString('hex')}`,
      );
    if (length === null || length > bytes.length - offset) return { records, rest: bytes.subarray(offset) };
    records.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
}
