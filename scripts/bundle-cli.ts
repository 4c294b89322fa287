import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';

/** The entry of the command line as the compiler wrote it: other bundles start here, and share their modules with it. */
const UNBUNDLED_CLI = 'cli/unbundled-main';

/** Below dist/src, without `.js`; also in a dist/ that was compiled and not bundled. */
export function unbundledCli(dist: string): string {
  return existsSync(path.join(dist, 'src', `${UNBUNDLED_CLI}.js`)) ? UNBUNDLED_CLI : 'cli/main';
}

/**
 * Makes one file of the two hundred and fifty that the command line loads before it reads a policy: zod alone has one for every language.
 * That halves its start, which a person waits for in a commit hook. The bundle takes the place of dist/src/cli/main.js, and its pieces
 * lie beside it, so that what looks for files near itself finds them. For a dist/ that was just compiled.
 */
export async function bundleCli(dist: string): Promise<void> {
  const folder = path.join(dist, 'src/cli');
  const entry = path.join(dist, 'src', `${UNBUNDLED_CLI}.js`);
  renameSync(path.join(folder, 'main.js'), entry);
  const bundle = await rolldown({ input: { main: entry }, platform: 'node', logLevel: 'warn' });
  try {
    await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'bundled-[name]-[hash].js' });
  } finally {
    await bundle.close();
  }
}
