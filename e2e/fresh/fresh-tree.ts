import { cp, mkdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { machineArchive } from '../host/apt-private.ts';
import { cachedFolder } from '../host/cache.ts';
import { cleanClone } from '../host/clean-clone.ts';
import { runCommand } from '../host/command.ts';

const packages = ['git', 'make', 'ca-certificates'];

/**
 * How this machine reaches package registries and whom it trusts: a new machine is given the same before anyone logs in. Of
 * what is installed here nothing is taken over.
 */
const machineConfiguration = ['/etc/apt', '/etc/hosts', '/etc/resolv.conf', '/etc/npmrc', '/usr/local/share/ca-certificates'];
/** The same, below the home folder: of whoever runs this, and of root in the tree. */
const homeConfiguration = ['.npmrc', '.config/go'];

/** A minimal Debian 12 with git and make, made with debootstrap; kept in the cache, to be copied. */
export function minimalTree(cache: string): Promise<string> {
  return cachedFolder({
    cache,
    name: 'fresh/bookworm',
    inputs: [...packages, 'layout 1'],
    make: async (folder) => {
      const archive = await machineArchive('bookworm');
      await runCommand(
        ['debootstrap', '--variant=minbase', `--include=${packages.join(',')}`, 'bookworm', path.join(folder, 'tree'), archive],
        {
          env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
        },
      );
    },
  });
}

/** Makes a new machine's tree at `tree`, with a clone of the given repository in /srv/palisade. */
export async function makeTree(base: string, tree: string, repository: string): Promise<void> {
  await rm(tree, { recursive: true, force: true });
  await mkdir(path.dirname(tree), { recursive: true });
  await runCommand(['cp', '-a', path.join(base, 'tree'), tree]);
  const copies = [
    ...machineConfiguration.map((file) => [file, path.join(tree, file)] as const),
    ...homeConfiguration.map((file) => [path.join(homedir(), file), path.join(tree, 'root', file)] as const),
  ];
  for (const [from, to] of copies) {
    if (!existsSync(from)) continue;
    await mkdir(path.dirname(to), { recursive: true });
    await rm(to, { recursive: true, force: true });
    await cp(from, to, { recursive: true, dereference: true });
  }
  await runCommand(['chroot', tree, 'update-ca-certificates']);
  await cleanClone(repository, path.join(tree, 'srv/palisade'));
}
