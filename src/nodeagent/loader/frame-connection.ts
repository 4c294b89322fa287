/** One connection to the loader: one request at a time, each answered by one or more frames. */
import { connect, type Socket } from 'node:net';
import {
  encodeFrame,
  FLAG_ANSWER,
  FLAG_MORE,
  FrameError,
  FrameStream,
  LOADER_OPS,
  type LoaderFrame,
  readResult,
} from '../../protocol/loader-frames.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { LoaderRequest } from './generation-requests.ts';
import { LoaderRefusal, LoaderUnavailableError } from './loader-error.ts';

export type FrameConnection = {
  /** The frames of the answer, at least one. Throws LoaderRefusal, or LoaderUnavailableError after which the connection is closed. */
  request(request: LoaderRequest): Promise<readonly LoaderFrame[]>;
  /** Resolves, with why, when the connection is of no further use. */
  readonly closed: Promise<string>;
  close(why: string): void;
};

export type ConnectionOptions = {
  readonly path: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long one answer may take; the verifier is slow under emulation. */
  readonly answerTimeoutMs: number;
};

/** Bytes of all frames of one answer: a catalogue of names is a few MiB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

type Waiting = {
  readonly id: number;
  readonly op: number;
  readonly frames: LoaderFrame[];
  bytes: number;
  readonly resolve: (frames: readonly LoaderFrame[]) => void;
  readonly reject: (error: Error) => void;
};

export async function openFrameConnection(options: ConnectionOptions): Promise<FrameConnection> {
  return serve(await openSocket(options.path, options.signal), options);
}

export function openSocket(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(new LoaderUnavailableError(`cannot reach the loader at ${path}: ${error.message}`));
    };
    const onAbort = (): void => fail(new Error('stopped'));
    socket.once('error', fail);
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', fail);
      resolve(socket);
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function serve(socket: Socket, options: ConnectionOptions): FrameConnection {
  const stream = new FrameStream();
  const ended = Promise.withResolvers<string>();
  let waiting: Waiting | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  let nextId = 1;
  let endedBecause: string | null = null;

  function close(why: string): void {
    if (endedBecause !== null) return;
    endedBecause = why;
    options.signal.removeEventListener('abort', onAbort);
    socket.destroy();
    waiting?.reject(new LoaderUnavailableError(`the loader's connection ended: ${why}`));
    waiting = null;
    ended.resolve(why);
  }

  function onAbort(): void {
    close('stopped');
  }

  function onFrame(frame: LoaderFrame): void {
    const current = waiting;
    if (current === null || frame.id !== current.id || frame.op !== current.op || (frame.flags & FLAG_ANSWER) === 0) {
      throw new FrameError(`frame of operation ${frame.op}, id ${frame.id}, answers nothing that was asked`);
    }
    current.frames.push(frame);
    current.bytes += frame.tlvs.reduce((sum, tlv) => sum + tlv.value.length, 0);
    if (current.bytes > MAX_ANSWER_BYTES) throw new FrameError(`an answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    if ((frame.flags & FLAG_MORE) !== 0) return;
    waiting = null;
    current.resolve(current.frames);
  }

  function send(request: LoaderRequest): Promise<readonly LoaderFrame[]> {
    if (endedBecause !== null) return Promise.reject(new LoaderUnavailableError(`the loader's connection ended: ${endedBecause}`));
    const id = nextId;
    nextId = nextId >= 0x7fff_ffff ? 1 : nextId + 1;
    const op = LOADER_OPS[request.op];
    const bytes = encodeFrame({ op, flags: 0, id, tlvs: request.tlvs });
    const timer = options.clock.setTimer(options.answerTimeoutMs, () =>
      close(`no answer to ${request.op} within ${options.answerTimeoutMs} ms`),
    );
    const answer = new Promise<readonly LoaderFrame[]>((resolve, reject) => {
      waiting = { id, op, frames: [], bytes: 0, resolve, reject };
      socket.write(bytes);
    });
    return answer.finally(() => timer.cancel());
  }

  socket.on('data', (chunk: Buffer) => {
    try {
      // The stream keeps pieces of what it is given; the socket may use its buffer again.
      for (const frame of stream.push(Uint8Array.from(chunk))) onFrame(frame);
    } catch (error) {
      close(error instanceof Error ? error.message : String(error));
    }
  });
  socket.on('error', (error) => close(error.message));
  socket.on('close', () => close('the loader closed it'));
  if (options.signal.aborted) onAbort();
  else options.signal.addEventListener('abort', onAbort, { once: true });

  return {
    closed: ended.promise,
    close,
    request(request) {
      const turn = tail.then(() => send(request));
      tail = turn.catch(() => undefined);
      return turn.then((frames) => checkAnswer(request, frames, close));
    },
  };
}

/** The result is in the last frame; one that cannot be read ends the connection. */
function checkAnswer(request: LoaderRequest, frames: readonly LoaderFrame[], close: (why: string) => void): readonly LoaderFrame[] {
  const last = frames.at(-1);
  try {
    if (last === undefined) throw new FrameError('an answer without frames');
    const result = readResult(last);
    if (result.stage === 'ok') return frames;
    throw new LoaderRefusal(request.op, result);
  } catch (error) {
    if (error instanceof FrameError) {
      close(error.message);
      throw new LoaderUnavailableError(`the loader's answer to ${request.op} cannot be read: ${error.message}`);
    }
    throw error;
  }
}
