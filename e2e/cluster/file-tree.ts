import { chmod, copyFile, link as hardLink, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from '../host/command.ts';
import { sharedLibraries } from '../vm/programs.ts';

/** A folder that is being filled to become a root file system; all paths are as inside it. */
export type FileTree = {
  readonly folders: (...paths: readonly string[]) => Promise<void>;
  readonly text: (guestPath: string, content: string, mode?: number) => Promise<void>;
  readonly file: (localPath: string, guestPath: string, mode?: number) => Promise<void>;
  readonly link: (target: string, guestPath: string) => Promise<void>;
  /** A program of this machine with the shared libraries that it is linked with. */
  readonly program: (localPath: string, guestPath: string) => Promise<void>;
  /**
   * busybox, with a link for each of its tools in /bin except those that other programs stand for. With hard links each tool is
   * a program of its own name, as in the image that everybody knows.
   */
  readonly busybox: (links: 'hard' | 'symbolic', except: readonly string[]) => Promise<void>;
};

/** Opens the tree in `root`. */
export function fileTree(root: string): FileTree {
  const inside = (guestPath: string): string => path.join(root, guestPath);
  const parent = (guestPath: string): Promise<unknown> => mkdir(path.dirname(inside(guestPath)), { recursive: true });
  const file: FileTree['file'] = async (localPath, guestPath, mode = 0o644) => {
    await parent(guestPath);
    await copyFile(localPath, inside(guestPath));
    await chmod(inside(guestPath), mode);
  };
  const link: FileTree['link'] = async (target, guestPath) => {
    await parent(guestPath);
    await symlink(target, inside(guestPath));
  };
  return {
    file,
    link,
    folders: async (...paths) => {
      for (const folder of paths) await mkdir(inside(folder), { recursive: true });
    },
    text: async (guestPath, content, mode = 0o644) => {
      await parent(guestPath);
      await writeFile(inside(guestPath), content);
      await chmod(inside(guestPath), mode);
    },
    program: async (localPath, guestPath) => {
      await file(localPath, guestPath, 0o755);
      for (const library of await sharedLibraries(localPath)) {
        if (!existsSync(inside(library))) await file(library, library, 0o755);
      }
    },
    busybox: async (links, except) => {
      await file('/bin/busybox', '/bin/busybox', 0o755);
      const { stdout } = await runCommand(['/bin/busybox', '--list']);
      for (const tool of stdout.trim().split('\n')) {
        if (tool === 'busybox' || except.includes(tool)) continue;
        if (links === 'symbolic') await link('busybox', `/bin/${tool}`);
        else await hardLink(inside('/bin/busybox'), inside(`/bin/${tool}`));
      }
    },
  };
}

/** The bytes of several files, to name a cache entry by what it is made of. */
export function readAll(paths: readonly string[]): Promise<Buffer[]> {
  return Promise.all(paths.map((file) => readFile(file)));
}
