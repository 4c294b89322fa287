import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupSeen } from './cgroup-index.ts';
import { readCgroupName } from './cgroup-name.ts';

/** A container can nest as deep as it likes; beyond this its cgroups inherit by the kernel's records only. */
const MAX_DEPTH = 16;
const MAX_DIRECTORIES = 65_536;

/**
 * All directories under every kubepods root, parents first. Cgroup ids are inode numbers of the directories. On hosts with version 1
 * controllers the kubelet's tree lies under one folder per controller; `root` then is that of the controller whose ids the engine reads.
 * Directories that vanish meanwhile are skipped.
 */
export async function walkCgroups(root: string): Promise<CgroupSeen[]> {
  const seen: CgroupSeen[] = [];
  const queue: { path: string; name: string; parentId: bigint; depth: number; isPods: boolean }[] = [
    { path: root, name: '', parentId: 0n, depth: 0, isPods: false },
  ];
  for (let next = queue.shift(); next !== undefined && seen.length < MAX_DIRECTORIES; next = queue.shift()) {
    const id = await inodeOf(next.path);
    if (id === null) continue;
    if (next.isPods) seen.push({ id, parentId: next.parentId, name: next.name });
    if (next.depth >= MAX_DEPTH) continue;
    for (const name of await folders(next.path)) {
      const isPods = next.isPods || readCgroupName(name).kind === 'root';
      // Outside kubepods only the way to it is followed: kubelets may be told to put it below other slices.
      if (isPods || next.depth < 2) queue.push({ path: join(next.path, name), name, parentId: id, depth: next.depth + 1, isPods });
    }
  }
  return seen;
}

async function inodeOf(path: string): Promise<bigint | null> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch {
    return null;
  }
}

async function folders(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(path)) if (entry.isDirectory()) names.push(entry.name);
  } catch {
    return names;
  }
  return names.toSorted();
}
