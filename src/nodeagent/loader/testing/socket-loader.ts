/** A loader's socket whose answers a test writes itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameStream, type LoaderFrame } from '../../../protocol/loader-frames.ts';

export type SocketLoader = {
  readonly path: string;
  /** Called for every frame; `write` goes back on the same connection. */
  onFrame: (frame: LoaderFrame, write: (bytes: Uint8Array) => void, socket: Socket) => void;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function startSocketLoader(): Promise<SocketLoader> {
  const folder = await mkdtemp(join(tmpdir(), 'palisade-'));
  const sockets = new Set<Socket>();
  const loader: SocketLoader = {
    path: join(folder, 'loader.sock'),
    onFrame: () => undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    const stream = new FrameStream();
    socket.on('data', (chunk: Buffer) => {
      for (const frame of stream.push(Uint8Array.from(chunk))) loader.onFrame(frame, (bytes) => socket.write(bytes), socket);
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(loader.path, resolve);
  });
  return loader;
}
