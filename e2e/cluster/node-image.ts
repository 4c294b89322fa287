import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { cachedFolder } from '../host/cache.ts';
import { runCommand } from '../host/command.ts';
import { cpioArchive, type CpioEntry } from '../vm/cpio.ts';
import type { Kernel } from '../vm/kernels.ts';
import { readModules } from '../vm/modules.ts';
import { fileTree } from './file-tree.ts';
import { unpackImages } from './image-store.ts';

const nodeFiles = path.join(import.meta.dirname, 'node');
const guestdSource = path.join(import.meta.dirname, '../vm/guest/guestd.c');

/** Disk, overlay and bridge of containers; network filter for the address of the API server in the cluster. */
const wantedModules = [
  'virtio_pci',
  'virtio_blk',
  'virtio_net',
  'overlay',
  'veth',
  'bridge',
  'br_netfilter',
  'nf_tables',
  'nft_chain_nat',
  'nft_nat',
  'nft_masq',
  'nft_ct',
];

const programs = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', 'nft', 'mount', 'umount', 'ip', 'nsenter', 'setpriv', 'bpftool'];
const networkPlugins = ['bridge', 'host-local', 'loopback', 'ptp', 'portmap'];
const diskSize = '2500M';

/** The initramfs of a worker with the given kernel. */
export async function nodeInitramfs(cache: string, kernel: Kernel): Promise<string> {
  const init = await readFile(path.join(nodeFiles, 'initramfs-init.sh'));
  const busybox = await readFile('/bin/busybox');
  const folder = await cachedFolder({
    cache,
    name: `node/initramfs-${kernel.name}`,
    inputs: [kernel.release, init, busybox, wantedModules.join(' '), 'layout 1'],
    make: async (target) => {
      const modules = await readModules(kernel, wantedModules);
      const entries: CpioEntry[] = [
        { kind: 'file', path: 'init', bytes: init, executable: 'yes' },
        { kind: 'file', path: 'bin/busybox', bytes: busybox, executable: 'yes' },
        { kind: 'file', path: 'modules/order', bytes: Buffer.from(modules.map((module) => `${module.name}\n`).join('')), executable: 'no' },
        ...modules.map((module) => ({ kind: 'file', path: `modules/${module.name}`, bytes: module.bytes, executable: 'no' }) as const),
      ];
      await writeFile(path.join(target, 'initrd.gz'), gzipSync(cpioArchive(entries), { level: 1 }));
    },
  });
  return path.join(folder, 'initrd.gz');
}

async function find(program: string): Promise<string> {
  const { stdout } = await runCommand(['sh', '-c', 'PATH="$PATH:/usr/sbin:/sbin"; command -v "$1"', 'sh', program]);
  return stdout.trim();
}

async function fillRoot(root: string, binaries: string): Promise<void> {
  const tree = fileTree(root);
  await tree.folders(
    'sbin',
    'usr/sbin',
    'usr/local/bin',
    'dev',
    'proc',
    'sys',
    'run',
    'tmp',
    'root',
    'mnt',
    'etc/kubernetes',
    'etc/cni/net.d',
    'etc/containerd',
    'opt/cni/bin',
    'var/lib/kubelet',
    'var/lib/containerd',
    'var/log',
  );
  await tree.link('/run', '/var/run');
  await tree.busybox('symbolic', ['mount', 'umount', 'ip', 'nsenter', 'setpriv', 'bpftool']);
  for (const program of programs) await tree.program(await find(program), `/usr/bin/${program}`);
  await tree.program(path.join(binaries, 'kubelet'), '/usr/bin/kubelet');
  for (const plugin of networkPlugins) await tree.program(`/usr/lib/cni/${plugin}`, `/opt/cni/bin/${plugin}`);
  await runCommand(['cc', '-O2', '-static', '-o', path.join(root, 'usr/bin/guestd'), guestdSource]);
  await tree.file(path.join(nodeFiles, 'containerd.toml'), '/etc/containerd/config.toml');
  await tree.file(path.join(nodeFiles, 'kubelet.yaml'), '/etc/kubernetes/kubelet.yaml');
  await tree.file(path.join(nodeFiles, 'inittab'), '/etc/inittab');
  for (const script of ['rc', 'run-containerd', 'run-kubelet']) await tree.file(path.join(nodeFiles, script), `/etc/${script}`, 0o755);
  await tree.text('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n');
  await tree.text('/etc/group', 'root:x:0:\nuser:x:1000:\n');
  await tree.text('/etc/hosts', '127.0.0.1 localhost\n');
  await tree.text('/etc/resolv.conf', 'nameserver 10.0.2.3\n');
  await tree.text('/etc/os-release', 'ID=debian\nPRETTY_NAME="Palisade test node"\n');
}

/**
 * The disk of all workers, whatever their kernel: containerd, runc, kubelet, and a store in which the given images are
 * unpacked already (on a worker an import of the Palisade image takes half a minute). Workers share it and throw their changes away.
 */
export async function nodeDisk(options: {
  readonly cache: string;
  readonly binaries: string;
  readonly images: readonly string[];
}): Promise<string> {
  const recipes = (await readdir(nodeFiles)).toSorted().map((name) => path.join(nodeFiles, name));
  const inputs = await Promise.all([...recipes, guestdSource, ...options.images, import.meta.filename].map((file) => readFile(file)));
  const versions = await Promise.all(
    ['containerd', 'runc'].map(async (name) => (await runCommand([await find(name), '--version'])).stdout),
  );
  const folder = await cachedFolder({
    cache: options.cache,
    name: 'node/disk',
    keep: 4,
    inputs: [...inputs, ...versions, options.binaries],
    make: async (target) => {
      const root = path.join(target, 'root');
      await mkdir(root);
      await fillRoot(root, options.binaries);
      await unpackImages(options.images, path.join(root, 'var/lib/containerd'));
      const disk = path.join(target, 'root.ext4');
      await runCommand(['truncate', '-s', diskSize, disk]);
      await runCommand(['mkfs.ext4', '-q', '-F', '-O', '^has_journal', '-m', '0', '-E', 'root_owner=0:0', '-d', root, disk], {
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
      });
      await rm(root, { recursive: true, force: true });
    },
  });
  return path.join(folder, 'root.ext4');
}
