import { chmod, copyFile, mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../e2e/host/cache.ts';
import { runCommand } from '../e2e/host/command.ts';

const root = path.join(import.meta.dirname, '..');
const target = 'x86_64-unknown-linux-gnu';

/** `faults` has the fault points of the chaos tests, and is never delivered. */
export type LoaderBuild = 'release' | 'faults';

/** Where the build of the loader lies in this checkout. */
export function loaderPath(build: LoaderBuild): string {
  return path.join(root, 'target', build, 'palisade-loader');
}

async function inputsOf(build: LoaderBuild): Promise<(string | Uint8Array)[]> {
  const folders = ['native/loader', 'native/abi', 'native/bpf/out'];
  // .cargo/config.toml asks for the static form of the target.
  const files = ['Cargo.toml', 'Cargo.lock', '.cargo/config.toml'];
  for (const folder of folders) {
    const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) if (entry.isFile()) files.push(path.relative(root, path.join(entry.parentPath, entry.name)));
  }
  const contents = await Promise.all(files.toSorted().map(async (file) => [file, await readFile(path.join(root, file))]));
  const { stdout: compiler } = await runCommand(['cargo', '--version']);
  return [build, compiler, ...contents.flat()];
}

/**
 * Builds the loader as one static program. The result is kept in the cache by the content of its sources, and cargo's own
 * work beside it, so that a fresh clone on the same machine need not compile its dependencies again.
 */
export async function buildLoader(cache: string, build: LoaderBuild, env: NodeJS.ProcessEnv): Promise<void> {
  const folder = await cachedFolder({
    cache,
    name: `loader/${build}`,
    keep: 4,
    inputs: await inputsOf(build),
    make: async (made) => {
      const targetFolder = path.join(cache, 'cargo');
      const features = build === 'faults' ? ['--features', 'faults'] : [];
      await runCommand(['cargo', 'build', '--release', '--locked', '--target', target, '--target-dir', targetFolder, ...features], {
        cwd: root,
        env,
      });
      await copyFile(path.join(targetFolder, target, 'release/palisade-loader'), path.join(made, 'palisade-loader'));
    },
  });
  await mkdir(path.dirname(loaderPath(build)), { recursive: true });
  await copyFile(path.join(folder, 'palisade-loader'), loaderPath(build));
  await chmod(loaderPath(build), 0o755);
}
