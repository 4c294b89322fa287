import path from 'node:path';
import { rolldown } from 'rolldown';
import { unbundledCli } from '../../scripts/bundle-cli.ts';

/** Programs of the image, by the names that their files have below src: the modules below dist/src that they start with. */
function programsOf(dist: string): readonly (readonly [name: string, module: string])[] {
  return [
    ['nodeagent/main', 'nodeagent/main'],
    ['cli/main', unbundledCli(dist)],
  ];
}

/**
 * Puts each program of the image and the packages it uses into a few files below `target`. Loading four hundred small files
 * takes an emulated node several seconds, and an agent that was killed must be back soon; nor does the image need packages.
 */
export async function bundlePrograms(dist: string, target: string): Promise<void> {
  const bundle = await rolldown({
    input: Object.fromEntries(programsOf(dist).map(([name, module]) => [name, path.join(dist, 'src', `${module}.js`)])),
    platform: 'node',
    logLevel: 'warn',
  });
  try {
    await bundle.write({
      dir: path.join(target, 'src'),
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name]-[hash].js',
    });
  } finally {
    await bundle.close();
  }
}
