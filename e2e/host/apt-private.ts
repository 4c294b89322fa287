import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { archiveOf, parseDeb822, parseOneLine, type AptSource } from './apt-sources.ts';
import { runCommand } from './command.ts';

/** A package index of its own for foreign suites, which leaves the machine's configuration alone. */
export type PrivateApt = {
  /** Names of packages that match, oldest version first. */
  readonly packageNames: (pattern: RegExp) => Promise<string[]>;
  /** Downloads one package into a folder and returns the path of the archive. */
  readonly download: (packageName: string, folder: string) => Promise<string>;
};

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

async function machineSources(): Promise<AptSource[]> {
  const folder = '/etc/apt/sources.list.d';
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => /\.(list|sources)$/.test(name)).map((name) => path.join(folder, name));
  const sources: AptSource[] = [];
  for (const file of ['/etc/apt/sources.list', ...files]) {
    const text = await readFile(file, 'utf8').catch(() => '');
    sources.push(...(file.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text)));
  }
  return sources;
}

/** The archive of a suite, as this machine's own apt configuration tells it. */
export async function machineArchive(suite: string): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? '';
  const uri = archiveOf(suite, codename, await machineSources());
  if (uri === undefined) throw new Error(`apt: no archive for ${suite}: /etc/apt names none for ${codename}`);
  return uri;
}

/** Opens an index of the given suites in `folder`, found by the machine's own apt configuration. */
export async function openPrivateApt(folder: string, suites: readonly string[]): Promise<PrivateApt> {
  const lines = await Promise.all(suites.map(async (suite) => `deb [signed-by=${keyring}] ${await machineArchive(suite)} ${suite} main`));
  for (const name of ['lists/partial', 'cache/archives/partial', 'parts']) await mkdir(path.join(folder, name), { recursive: true });
  await writeFile(path.join(folder, 'sources.list'), `${lines.join('\n')}\n`);
  const options = [
    `Dir::Etc::sourcelist=${folder}/sources.list`,
    `Dir::Etc::sourceparts=${folder}/parts`,
    `Dir::State::lists=${folder}/lists`,
    `Dir::Cache=${folder}/cache`,
    'Acquire::Check-Valid-Until=false',
    'Acquire::Languages=none',
    // The archives are read as root into a folder of ours, which apt's own user may not enter.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  await runCommand(['apt-get', ...options, '-q', 'update']);
  return {
    packageNames: async (pattern) => {
      const { stdout } = await runCommand(['apt-cache', ...options, 'pkgnames']);
      const names = stdout.split('\n').filter((name) => pattern.test(name));
      return names.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    },
    download: async (packageName, target) => {
      await runCommand(['apt-get', ...options, '-q', 'download', packageName], { cwd: target });
      const archive = (await readdir(target)).find((name) => name.startsWith(`${packageName}_`));
      if (archive === undefined) throw new Error(`apt: ${packageName} was downloaded, but no archive of that name is in ${target}`);
      return path.join(target, archive);
    },
  };
}
