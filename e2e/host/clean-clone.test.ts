import { chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanClone } from './clean-clone.ts';
import { runCommand } from './command.ts';

describe('a clean clone of a checkout', () => {
  let folder = '';
  let checkout = '';

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'palisade-clean-clone-'));
    checkout = path.join(folder, 'checkout');
    await mkdir(checkout);
    await writeFile(path.join(checkout, '.gitignore'), 'built\n');
    await writeFile(path.join(checkout, 'source'), 'text');
    await writeFile(path.join(checkout, 'built'), 'output');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const cloned = async (): Promise<string[]> => {
    const clone = path.join(folder, 'clone');
    await cleanClone(checkout, clone);
    return (await readdir(clone)).filter((name) => name !== '.git').toSorted();
  };
  const commit = async (): Promise<void> => {
    const git = (...args: readonly string[]): Promise<unknown> => runCommand(['git', '-C', checkout, ...args]);
    await git('init', '--quiet');
    await git('add', '--all');
    await git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message=first');
  };

  it('holds what is committed and nothing else', async () => {
    await commit();
    await writeFile(path.join(checkout, 'later'), 'not committed');
    expect(await cloned()).toEqual(['.gitignore', 'source']);
  });

  it('can be made of a source tree without a repository', async () => {
    expect(await cloned()).toEqual(['.gitignore', 'source']);
  });

  it.runIf(process.getuid?.() === 0)('can be made of a checkout that belongs to another user', async () => {
    await commit();
    await chown(checkout, 1234, 1234);
    await chown(path.join(checkout, '.git'), 1234, 1234);
    expect(await cloned()).toEqual(['.gitignore', 'source']);
  });
});
