import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../e2e/host/cache.ts';
import { step } from '../e2e/host/step.ts';
import { bundleCli } from './bundle-cli.ts';
import { buildLoader } from './loader-build.ts';

/** Builds what is delivered: dist/ (TypeScript), the BPF objects, the loader. */
const root = path.join(import.meta.dirname, '..');

async function run(title: string, argv: readonly [string, ...string[]]): Promise<void> {
  const [program, ...args] = argv;
  await step(title, () => {
    const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    return status === 0
      ? Promise.resolve()
      : Promise.reject(new Error(`${argv.join(' ')}: ${error?.message ?? `status ${status ?? 'signal'}`}`));
  });
}

try {
  // Files of sources that are gone must not stay in the image.
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  await run('TypeScript', ['node_modules/.bin/tsc', '-p', 'tsconfig.build.json']);
  await step('command line', () => bundleCli(path.join(root, 'dist')));
  if (existsSync(path.join(root, 'native/bpf/Makefile')))
    await run('BPF engine', ['make', '--no-print-directory', '-s', '-C', 'native/bpf']);
  if (existsSync(path.join(root, 'native/bpf/out'))) {
    for (const build of ['release', 'faults'] as const)
      await step(`loader (${build})`, () => buildLoader(cacheFolder(process.env), build, process.env));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
