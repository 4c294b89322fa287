import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { cachedFolder } from '../host/cache.ts';
import { runCommand } from '../host/command.ts';
import { cpioArchive, type CpioEntry } from './cpio.ts';
import type { Kernel } from './kernels.ts';
import { readModules } from './modules.ts';
import { programEntries } from './programs.ts';

const guestFolder = path.join(import.meta.dirname, 'guest');

/** virtio_net carries the control channel; overlay is what containers' file systems are made of. */
const wantedModules = ['virtio_pci', 'virtio_net', 'overlay'];

const programs = new Map([
  ['/bin/busybox', '/bin/busybox'],
  ['/usr/bin/setpriv', '/usr/bin/setpriv'],
  ['/usr/bin/unshare', '/usr/bin/unshare'],
  ['/usr/bin/nsenter', '/usr/bin/nsenter'],
]);

/** The initramfs of the kernel tests: busybox, the modules of one kernel, the host's hand. Kept in the cache. */
export async function guestImage(cache: string, kernel: Kernel): Promise<string> {
  const daemonSource = await readFile(path.join(guestFolder, 'guestd.c'));
  const init = await readFile(path.join(guestFolder, 'init.sh'));
  const inputs = [kernel.release, daemonSource, init, wantedModules.join(' '), [...programs.values()].join(' '), 'layout 3'];
  const folder = await cachedFolder({
    cache,
    name: `guests/${kernel.name}`,
    inputs,
    make: async (target) => {
      const daemon = path.join(target, 'guestd');
      await runCommand(['cc', '-O2', '-static', '-o', daemon, path.join(guestFolder, 'guestd.c')]);
      const modules = await readModules(kernel, wantedModules);
      const entries: CpioEntry[] = [
        { kind: 'file', path: 'init', bytes: init, executable: 'yes' },
        { kind: 'link', path: 'bin/sh', target: 'busybox' },
        { kind: 'file', path: 'bin/guestd', bytes: await readFile(daemon), executable: 'yes' },
        {
          kind: 'file',
          path: 'etc/passwd',
          bytes: Buffer.from('root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n'),
          executable: 'no',
        },
        { kind: 'file', path: 'etc/group', bytes: Buffer.from('root:x:0:\nuser:x:1000:\n'), executable: 'no' },
        { kind: 'file', path: 'modules/order', bytes: Buffer.from(modules.map((module) => `${module.name}\n`).join('')), executable: 'no' },
        ...modules.map((module) => ({ kind: 'file', path: `modules/${module.name}`, bytes: module.bytes, executable: 'no' }) as const),
        ...(await programEntries(programs)),
      ];
      const packed = gzipSync(cpioArchive(entries), { level: 1 });
      // A second archive may follow, and the kernel looks for it at a multiple of four bytes only.
      await writeFile(path.join(target, 'initrd.gz'), Buffer.concat([packed, Buffer.alloc((4 - (packed.length % 4)) % 4)]));
    },
  });
  return path.join(folder, 'initrd.gz');
}
