import { randomInt } from 'node:crypto';
import net from 'node:net';

/** Below the ports that the kernel gives to outgoing connections (from 32768 on): one of those may be taken before it is used. */
const firstPort = 15_000;
const lastPort = 29_999;
const maxTries = 100;

const given = new Set<number>();

/** A TCP port of loopback that nobody listens on, and that this process has given to nobody before. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const port = randomInt(firstPort, lastPort + 1);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port on 127.0.0.1 from ${firstPort} to ${lastPort} in ${maxTries} tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
