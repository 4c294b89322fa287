import net from 'node:net';

/** Kinds of frames; the other side is e2e/vm/guest/guestd.c. */
const frame = { input: 0, stdout: 1, stderr: 2, end: 3, signal: 4 } as const;

export type CommandResult = {
  /** Exit status, or minus the number of the signal that ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
};

export type ExecOptions = {
  /** Numeric user and group; root without it. */
  readonly uid?: number;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly onStdout?: (chunk: Buffer) => void;
  readonly onStderr?: (chunk: Buffer) => void;
  /** Ends the command with SIGKILL. */
  readonly signal?: AbortSignal;
};

/** A command that runs in a machine. */
export type Running = {
  readonly result: Promise<CommandResult>;
  readonly write: (bytes: string | Uint8Array) => void;
  readonly closeInput: () => void;
  readonly kill: (signalNumber: number) => void;
};

function request(words: readonly string[]): Buffer {
  const body = Buffer.from(words.map((word) => `${word}\0`).join(''));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

function frameOf(kind: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(kind, 0);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Starts a command through a machine's control port on loopback. */
export function startCommand(port: number, argv: readonly [string, ...string[]], options: ExecOptions = {}): Running {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let pending: Buffer = Buffer.alloc(0);
  const result = new Promise<CommandResult>((resolve, reject) => {
    const take = (kind: number, bytes: Buffer): void => {
      if (kind === frame.stdout) {
        stdout.push(bytes);
        options.onStdout?.(bytes);
      } else if (kind === frame.stderr) {
        stderr.push(bytes);
        options.onStderr?.(bytes);
      } else if (kind === frame.end) {
        resolve({ status: bytes.readInt32LE(0), stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
        socket.destroy();
      }
    };
    socket.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (pending.length >= 5) {
        const length = pending.readUInt32LE(1);
        if (pending.length < 5 + length) return;
        const bytes = pending.subarray(5, 5 + length);
        const kind = pending.readUInt8(0);
        pending = pending.subarray(5 + length);
        take(kind, bytes);
      }
    });
    socket.on('error', reject);
    socket.on('close', () =>
      reject(new Error(`${argv.join(' ').slice(0, 200)}: the machine closed the connection before the command's end`)),
    );
  });
  const kill = (signalNumber: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(signalNumber);
    socket.write(frameOf(frame.signal, bytes));
  };
  socket.write(request(['exec', String(options.uid ?? 0), options.cwd ?? '/', ...argv]));
  if (options.input !== undefined) {
    for (const chunk of chunks(Buffer.from(options.input))) socket.write(frameOf(frame.input, chunk));
    socket.write(frameOf(frame.input, new Uint8Array()));
  }
  options.signal?.addEventListener('abort', () => kill(9), { once: true });
  return {
    result,
    write: (bytes) => void socket.write(frameOf(frame.input, Buffer.from(bytes))),
    closeInput: () => void socket.write(frameOf(frame.input, new Uint8Array())),
    kill,
  };
}

function* chunks(bytes: Buffer): Generator<Buffer> {
  const maxBytes = 1 << 16;
  for (let at = 0; at < bytes.length; at += maxBytes) yield bytes.subarray(at, at + maxBytes);
}

/** Connects to a unix socket inside the machine, as the given user. */
export function connectUnix(port: number, path: string, uid: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.write(request(['unix', String(uid), path]));
      resolve(socket);
    });
  });
}
