import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Machine } from './machine.ts';

/** A unix socket of this host that leads to one inside a machine. */
export type SocketBridge = { readonly path: string; readonly [Symbol.asyncDispose]: () => Promise<void> };

/**
 * Makes a unix socket here whose connections are made, by the given user, to a unix socket in the machine: the product's own
 * clients then speak to a server in there as if it were local.
 */
export async function bridgeSocket(machine: Machine, guestPath: string, uid: number): Promise<SocketBridge> {
  const folder = await mkdtemp(path.join(tmpdir(), 'palisade-bridge-'));
  const local = path.join(folder, 'socket');
  const open = new Set<net.Socket>();
  const relay = async (near: net.Socket): Promise<void> => {
    try {
      const far = await machine.connectUnix(guestPath, uid);
      open.add(far);
      near.pipe(far);
      far.pipe(near);
      far.on('error', () => near.destroy());
      far.on('close', () => near.destroy());
      near.on('close', () => far.destroy());
    } catch {
      // Whoever connected sees it by the end of his connection, as with a server that is not there.
      near.destroy();
    }
  };
  const server = net.createServer((near) => {
    open.add(near);
    near.on('error', () => near.destroy());
    void relay(near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(local, resolve);
  });
  return {
    path: local,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
