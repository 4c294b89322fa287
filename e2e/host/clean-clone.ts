import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from './command.ts';

const author = ['-c', 'user.name=palisade', '-c', 'user.email=palisade@localhost'];

/**
 * Clones the committed state of a checkout into a folder that does not exist yet. A checkout that another user owns is
 * trusted: its files are being run already. Of a source tree without a repository (an unpacked archive) the files are taken
 * that a commit of it would hold.
 */
export async function cleanClone(checkout: string, into: string): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'palisade-git-'));
  try {
    const config = path.join(scratch, 'config');
    await writeFile(config, '[safe]\n\tdirectory = *\n');
    const env = { ...process.env, GIT_CONFIG_GLOBAL: config };
    const repository = existsSync(path.join(checkout, '.git')) ? checkout : path.join(scratch, 'repository');
    if (repository !== checkout) {
      const git = ['git', ...author, `--git-dir=${repository}`, `--work-tree=${checkout}`] as const;
      await runCommand(['git', 'init', '--quiet', '--bare', repository], { env });
      await runCommand([...git, '-c', 'core.bare=false', 'add', '--all', '.'], { cwd: checkout, env });
      await runCommand([...git, '-c', 'core.bare=false', 'commit', '--quiet', '--message=source tree'], { cwd: checkout, env });
    }
    await runCommand(['git', 'clone', '--quiet', '--no-hardlinks', repository, into], { env });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
