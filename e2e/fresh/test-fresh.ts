import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder } from '../host/cache.ts';
import { step } from '../host/step.ts';
import { makeTree, minimalTree } from './fresh-tree.ts';

/**
 * `make test-fresh`: what a newcomer with a bare Debian 12 sees. Makes a minimal tree with git and make only, clones the
 * committed state of this checkout into it, and runs a command there: `make test` without another.
 */
const { positionals, values } = parseArgs({ options: { keep: { type: 'boolean', default: false } }, allowPositionals: true });
const command = positionals.length === 0 ? ['make', 'test'] : positionals;
if (process.getuid?.() !== 0) {
  process.stderr.write('make test-fresh: making a root file system takes root; run it with sudo.\n');
  process.exit(1);
}
const cache = cacheFolder(process.env);
const base = await step('minimal Debian 12', () => minimalTree(cache));
const tree = path.join(cache, 'fresh', `machine-${process.pid}`);
await step('a new machine', () => makeTree(base, tree, path.join(import.meta.dirname, '../..')));

// The new machine's user has an environment of his own, but for the way to the registries.
const inherited = Object.entries(process.env).filter(([name]) => /proxy|_CERT|CAFILE|CAINFO|CA_BUNDLE|CA_CERTS/i.test(name));
const env = {
  ...Object.fromEntries(inherited),
  HOME: '/root',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  CI: 'true',
  TERM: 'dumb',
};
const startedMs = performance.now();
const inside = ['sh', '-c', 'cd /srv/palisade && exec "$@"', 'sh', ...command];
const child = spawn('unshare', ['-mpf', '--kill-child', path.join(import.meta.dirname, 'enter.sh'), tree, ...inside], {
  env,
  stdio: ['ignore', 'inherit', 'inherit'],
});
// unshare ignores the gentle signals while it waits; with it dies the first process inside, and with that one all others.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGKILL'));
const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)));
process.stderr.write(
  `${((performance.now() - startedMs) / 1000).toFixed(0)} s  ${command.join(' ')} on a fresh machine: status ${status}\n`,
);
if (values.keep) process.stderr.write(`kept: ${tree}\n`);
else await rm(tree, { recursive: true, force: true });
process.exitCode = status;
