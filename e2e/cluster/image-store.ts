import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from '../host/command.ts';
import { processGroup } from './processes.ts';
import { waitUntil } from './wait-until.ts';

/** Parts of containerd that a mere unpacking does not need, some of which fail without privileges. */
const disabledPlugins = [
  'grpc.v1.cri',
  'snapshotter.v1.btrfs',
  'snapshotter.v1.zfs',
  'snapshotter.v1.aufs',
  'snapshotter.v1.devmapper',
  'internal.v1.opt',
];

/** Unpacks image archives into a containerd store at `store`, at the host's full speed. */
export async function unpackImages(archives: readonly string[], store: string): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'palisade-store-'));
  const inScratch = (name: string): string => path.join(scratch, name);
  const socket = inScratch('containerd.sock');
  const quoted = disabledPlugins.map((plugin) => JSON.stringify(`io.containerd.${plugin}`)).join(', ');
  await mkdir(inScratch('lib'));
  await writeFile(
    inScratch('config.toml'),
    `version = 2\nroot = "${inScratch('lib')}"\nstate = "${inScratch('run')}"\ndisabled_plugins = [${quoted}]\n[grpc]\n  address = "${socket}"\n`,
  );
  const processes = processGroup(scratch);
  try {
    const daemon = processes.start({ name: 'containerd', onEnd: 'report', argv: ['containerd', '--config', inScratch('config.toml')] });
    const ctr = (...args: readonly string[]): Promise<unknown> => runCommand(['ctr', '-a', socket, '-n', 'k8s.io', ...args]);
    try {
      await waitUntil('containerd', async () => (await ctr('version'), true), { timeoutMs: 20_000 });
      for (const archive of archives) await ctr('images', 'import', '--snapshotter', 'overlayfs', archive);
    } catch (error) {
      throw new Error(`containerd could not unpack the images:\n${await daemon.logTail()}`, { cause: error });
    } finally {
      // Its database is whole only after its end.
      await processes.stop();
    }
    await rm(store, { recursive: true, force: true });
    await cp(inScratch('lib'), store, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
