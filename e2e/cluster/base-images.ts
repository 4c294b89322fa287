import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../host/cache.ts';
import { runCommand } from '../host/command.ts';
import { fileTree, readAll } from './file-tree.ts';
import { packImage } from './oci-image.ts';

const nodeFiles = path.join(import.meta.dirname, 'node');

/** Archives of the images that are not ours to change. */
export type BaseImages = { readonly pause: string; readonly busybox: string };

/** Packs `pause` (holds pods open) and `busybox` (what the examples run; with a stand-in for /usr/bin/python3, and a program that execs a path it has not read). */
export async function baseImages(cache: string): Promise<BaseImages> {
  const sources = ['pause.c', 'python3.sh', 'literal-exec.c'].map((name) => path.join(nodeFiles, name));
  const folder = await cachedFolder({
    cache,
    name: 'images/base',
    inputs: [...(await readAll([...sources, '/bin/busybox'])), 'layout 3'],
    make: async (target) => {
      const pauseRoot = path.join(target, 'pause');
      await mkdir(pauseRoot);
      await runCommand(['cc', '-Os', '-static', '-s', '-o', path.join(pauseRoot, 'pause'), path.join(nodeFiles, 'pause.c')]);
      await packImage({ reference: 'localhost/pause:1', layers: [pauseRoot], entrypoint: ['/pause'] }, path.join(target, 'pause.tar'));
      const root = path.join(target, 'busybox');
      const tree = fileTree(root);
      await tree.folders('etc', 'tmp', 'proc', 'sys', 'dev', 'root', 'var', 'usr/bin');
      await tree.busybox('hard', []);
      await tree.file(path.join(nodeFiles, 'python3.sh'), '/usr/bin/python3', 0o755);
      await runCommand(['cc', '-O1', '-static', '-s', '-o', path.join(root, 'bin/literal-exec'), path.join(nodeFiles, 'literal-exec.c')]);
      await tree.text('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n');
      await tree.text('/etc/group', 'root:x:0:\nuser:x:1000:\n');
      await packImage(
        { reference: 'docker.io/library/busybox:latest', layers: [root], command: ['/bin/sh'] },
        path.join(target, 'busybox.tar'),
      );
    },
  });
  return { pause: path.join(folder, 'pause.tar'), busybox: path.join(folder, 'busybox.tar') };
}
