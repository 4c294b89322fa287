import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openPrivateApt } from '../host/apt-private.ts';
import { CommandFailed, runCommand } from '../host/command.ts';

/** Where a program is, on the PATH or where Debian keeps those of the administrator. */
export function findProgram(name: string, searchPath: string): string | undefined {
  if (name.includes('/')) return existsSync(name) ? name : undefined;
  const folders = [...searchPath.split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, name)).find((candidate) => existsSync(candidate));
}

/** The first version number in what a program prints about itself; undefined when it is not there or does not run. */
export async function versionOf(argv: readonly [string, ...string[]]): Promise<string | undefined> {
  const { stdout } = await runCommand(argv).catch(() => ({ stdout: '' }));
  return /(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1];
}

export async function isDebian12(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID=debian$/m.test(release) && /^VERSION_CODENAME=bookworm$/m.test(release);
}

function asRoot(argv: readonly [string, ...string[]]): [string, ...string[]] {
  return process.getuid?.() === 0 ? [...argv] : ['sudo', ...argv];
}

const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };

async function aptGet(args: readonly string[]): Promise<void> {
  await runCommand(asRoot(['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '--no-install-recommends', ...args]), { env: quiet });
}

/** Installs packages of the machine's own release. An index that is too old to name what the archive has is renewed once. */
export async function installPackages(names: readonly string[]): Promise<void> {
  try {
    await aptGet(['install', '-y', ...names]);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    await aptGet(['update']);
    await aptGet(['install', '-y', ...names]);
  }
}

/** Installs a newer Go from the release's backports, which the machine's apt configuration need not name. */
export async function installGoFromBackports(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'palisade-apt-'));
  try {
    const apt = await openPrivateApt(path.join(folder, 'index'), ['bookworm-backports']);
    const newest = (await apt.packageNames(/^golang-1\.\d+-go$/)).at(-1);
    if (newest === undefined) throw new Error('apt: bookworm-backports has no golang-1.x-go');
    for (const name of [newest, newest.replace(/-go$/, '-src'), 'golang-go', 'golang-src']) await apt.download(name, folder);
    const archives = (await readdir(folder)).filter((name) => name.endsWith('.deb'));
    await installPackages(archives.map((name) => path.join(folder, name)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
