import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openPrivateApt, type PrivateApt } from '../host/apt-private.ts';
import { cachedFolder, entryFolder } from '../host/cache.ts';
import { runCommand } from '../host/command.ts';
import { step } from '../host/step.ts';

/** The kernels that every change is tested on, named by their series. */
export const kernelNames = ['5.10', '6.1', '6.12', '7.x'] as const;
export type KernelName = (typeof kernelNames)[number];

/** A kernel of Debian, unpacked: its image, its modules with their index. */
export type Kernel = {
  readonly name: KernelName;
  /** As `uname -r` prints it. */
  readonly release: string;
  readonly image: string;
  /** The folder of `modules.dep`. */
  readonly modules: string;
};

type Origin = { readonly suite: string; readonly packages: RegExp };

const origins: Record<KernelName, Origin> = {
  '5.10': { suite: 'bullseye-security', packages: /^linux-image-5\.10\.0-\d+-cloud-amd64$/ },
  '6.1': { suite: 'bookworm-security', packages: /^linux-image-6\.1\.0-\d+-cloud-amd64$/ },
  '6.12': { suite: 'bookworm-security', packages: /^linux-image-6\.12\.\d+\+deb12-cloud-amd64$/ },
  '7.x': { suite: 'trixie-backports', packages: /^linux-image-7\.\d+\.\d+\+deb13-cloud-amd64$/ },
};

export function isKernelName(text: string): text is KernelName {
  return kernelNames.some((name) => name === text);
}

function entryOf(cache: string, name: KernelName): { cache: string; name: string; inputs: string[] } {
  const origin = origins[name];
  return { cache, name: `kernels/${name}`, inputs: [origin.suite, origin.packages.source, 'layout 1'] };
}

/** Makes sure of the kernels, downloading what is not in the cache, and returns them in the given order. */
export async function fetchKernels(cache: string, names: readonly KernelName[]): Promise<Kernel[]> {
  const missing = names.filter((name) => !existsSync(entryFolder(entryOf(cache, name))));
  if (missing.length > 0) {
    const scratch = path.join(cache, `apt-${process.pid}`);
    try {
      const suites = [...new Set(missing.map((name) => origins[name].suite))];
      const apt = await step(`apt index of ${suites.join(', ')}`, () => openPrivateApt(scratch, suites));
      for (const name of missing) {
        await step(`kernel ${name}`, () => cachedFolder({ ...entryOf(cache, name), make: (folder) => unpack(apt, name, folder) }));
      }
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return Promise.all(names.map((name) => describe(name, entryFolder(entryOf(cache, name)))));
}

/** Debian packs a kernel into one package up to 6.x, and its image, modules and configuration apart from 7.x on. */
function partsOf(release: string): RegExp {
  return new RegExp(`^linux-(image|binary|modules|base)-${release.replaceAll(/[.+]/g, '\\$&')}$`);
}

async function unpack(apt: PrivateApt, name: KernelName, folder: string): Promise<void> {
  const newest = (await apt.packageNames(origins[name].packages)).at(-1);
  if (newest === undefined) throw new Error(`kernel ${name}: ${origins[name].suite} has no package like ${origins[name].packages.source}`);
  const release = newest.slice('linux-image-'.length);
  const tree = path.join(folder, 'tree');
  await mkdir(tree);
  for (const part of await apt.packageNames(partsOf(release))) {
    const archive = await apt.download(part, folder);
    await runCommand(['dpkg-deb', '-x', archive, tree]);
    await rm(archive);
  }
  const inUsr = path.join(tree, 'usr/lib/modules');
  const modules = path.join(folder, 'lib/modules', release);
  await mkdir(path.dirname(modules), { recursive: true });
  await rename(path.join(existsSync(inUsr) ? inUsr : path.join(tree, 'lib/modules'), release), modules);
  await symlink('lib', path.join(folder, 'usr'));
  for (const file of ['vmlinuz', 'config']) {
    const inBoot = path.join(tree, 'boot', `${file}-${release}`);
    await rename(existsSync(inBoot) ? inBoot : path.join(modules, file), path.join(folder, file));
  }
  await runCommand(['depmod', '-b', folder, release]);
  await rm(tree, { recursive: true });
}

async function describe(name: KernelName, folder: string): Promise<Kernel> {
  const [release] = await readdir(path.join(folder, 'lib/modules'));
  if (release === undefined) throw new Error(`kernel ${name}: ${folder} has no modules; remove the folder, it is made anew`);
  return { name, release, image: path.join(folder, 'vmlinuz'), modules: path.join(folder, 'lib/modules', release) };
}
