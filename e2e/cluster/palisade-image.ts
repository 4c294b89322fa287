import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../host/cache.ts';
import { bundlePrograms } from './bundle.ts';
import { fileTree } from './file-tree.ts';
import { packImage } from './oci-image.ts';

const root = path.join(import.meta.dirname, '../..');

/** The image's name in the development cluster; never pulled, unpacked on the nodes beforehand. */
export const imageReference = 'localhost/palisade:dev';

/** A command without a shell: the image has none. */
const commandScript = "#!/usr/bin/node\nimport('/app/dist/src/cli/main.js');\n";

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [path.join(entry.parentPath, entry.name)] : [])).toSorted();
}

/** Packs the Palisade image: a layer with Node, and one with agent, CLI and the static loader. */
export async function palisadeImage(cache: string, loader: string): Promise<string> {
  const lock = await readFile(path.join(root, 'package-lock.json'), 'utf8');
  const node = path.join(root, 'node_modules/node/bin/node');
  const dist = path.join(root, 'dist');
  const built = (await filesBelow(dist)).filter((file) => !file.endsWith('.map'));
  const contents = await Promise.all(built.map((file) => readFile(file)));
  const kernels = (await filesBelow(path.join(root, 'facts'))).filter((file) => file.endsWith('.kernel'));
  const inputs = [
    lock,
    commandScript,
    ...built.flatMap((file, index) => [path.relative(dist, file), contents[index] ?? '']),
    await readFile(loader),
    ...(await Promise.all(kernels.map((file) => readFile(file)))),
    'layout 3',
  ];
  const folder = await cachedFolder({
    cache,
    name: 'images/palisade',
    keep: 4,
    inputs,
    make: async (target) => {
      const layer = async (name: string): Promise<string> => {
        await mkdir(path.join(target, name));
        return path.join(target, name);
      };
      const runtime = await layer('runtime');
      const runtimeTree = fileTree(runtime);
      await runtimeTree.folders('tmp', 'proc', 'sys', 'dev', 'run/palisade', 'var/lib/palisade', 'var/log/palisade');
      await runtimeTree.program(node, '/usr/bin/node');
      await runtimeTree.text('/etc/passwd', 'root:x:0:0:root:/:/sbin/nologin\npalisade:x:65532:65532:palisade:/:/sbin/nologin\n');
      await runtimeTree.text('/etc/group', 'root:x:0:\npalisade:x:65532:\n');
      const product = await layer('product');
      const productTree = fileTree(product);
      await bundlePrograms(dist, path.join(product, 'app/dist'));
      await productTree.file(path.join(root, 'package.json'), '/app/package.json');
      await productTree.file(loader, '/usr/bin/palisade-loader', 0o755);
      // For `palisade lint --kernels` in CI, whose image this is too.
      for (const file of kernels) await productTree.file(file, `/app/facts/${path.basename(file)}`);
      await productTree.text('/usr/bin/palisade', commandScript, 0o755);
      await packImage(
        { reference: imageReference, layers: [runtime, product], env: ['NODE_ENV=production'] },
        path.join(target, 'palisade.tar'),
      );
      for (const name of ['runtime', 'product']) await rm(path.join(target, name), { recursive: true });
    },
  });
  return path.join(folder, 'palisade.tar');
}
