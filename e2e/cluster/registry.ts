import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../host/cache.ts';
import { runCommand } from '../host/command.ts';
import { freePort } from '../host/free-port.ts';
import { processGroup, type HostProcess, type ProcessGroup } from './processes.ts';
import { Unrecoverable, waitUntil } from './wait-until.ts';

/** An image for the mirror: its name as below docker.io, as `library/busybox:latest`, and its archive. */
export type MirroredImage = { readonly name: string; readonly archive: string };

export type Registry = { readonly port: number };

async function serve(processes: ProcessGroup, folder: string, storage: string): Promise<Registry> {
  const port = await freePort();
  const configuration = path.join(folder, 'registry.yaml');
  await writeFile(
    configuration,
    JSON.stringify({
      version: 0.1,
      log: { level: 'warn' },
      storage: { filesystem: { rootdirectory: storage }, cache: { blobdescriptor: 'inmemory' } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  );
  const registry = processes.start({ name: 'registry', onEnd: 'restart', argv: ['docker-registry', 'serve', configuration] });
  await untilServing(registry, port);
  return { port };
}

async function untilServing(registry: HostProcess, port: number): Promise<void> {
  await waitUntil(
    'registry',
    async () => {
      if (registry.restarts() > 3) throw new Unrecoverable(`registry ends at once:\n${await registry.logTail()}`);
      const response = await fetch(`http://127.0.0.1:${port}/v2/`);
      return response.ok ? true : undefined;
    },
    { timeoutMs: 20_000 },
  );
}

/** Starts a registry on loopback with the given images: the nodes' mirror for docker.io. Its content is kept in the cache. */
export async function startRegistry(options: {
  readonly cache: string;
  readonly folder: string;
  readonly processes: ProcessGroup;
  readonly images: readonly MirroredImage[];
}): Promise<Registry> {
  const archives = await Promise.all(options.images.map((image) => readFile(image.archive)));
  const storage = await cachedFolder({
    cache: options.cache,
    name: 'registry',
    keep: 4,
    inputs: [...options.images.map((image) => image.name), ...archives],
    make: (folder) => fill(folder, options.images),
  });
  return serve(options.processes, options.folder, storage);
}

async function fill(storage: string, images: readonly MirroredImage[]): Promise<void> {
  const scratch = path.join(storage, 'filling');
  await mkdir(scratch);
  const processes = processGroup(scratch);
  try {
    const { port } = await serve(processes, scratch, storage);
    for (const image of images) {
      await runCommand([
        'skopeo',
        '--insecure-policy',
        'copy',
        '-q',
        '--dest-tls-verify=false',
        `oci-archive:${image.archive}`,
        `docker://127.0.0.1:${port}/${image.name}`,
      ]);
    }
  } finally {
    await processes.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}
