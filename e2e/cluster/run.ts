import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { clusterInfoSchema, openCluster } from './cluster-info.ts';
import { infoFile, kubeconfigFile } from './run-folder.ts';
import { showTour } from './tour.ts';

/** `make run`: the cluster, the tour, the events until Ctrl-C, and the end of the cluster. */
function runScript(file: string, args: readonly string[] = []): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file, ...args], { stdio: 'inherit' });
    child.on('close', (status) => resolve(status ?? 1));
  });
}
const beside = (name: string): string => path.join(import.meta.dirname, name);
const say = (text: string): void => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (interrupted = true));

if ((await runScript(beside('up.ts'))) !== 0) process.exit(1);
try {
  const cluster = openCluster(clusterInfoSchema.parse(JSON.parse(await readFile(infoFile, 'utf8'))));
  await showTour(cluster, say);
  if (!interrupted) {
    say('\n$ palisade events -f --since 5m --policy block-etc-writes      (Ctrl-C ends the cluster)\n');
    const cli = path.join(import.meta.dirname, '../../dist/src/cli/main.js');
    // It gets the terminal's Ctrl-C itself, as a member of the same process group.
    await runScript(cli, ['events', '-f', '--since', '5m', '--policy', 'block-etc-writes', '--kubeconfig', kubeconfigFile]);
  }
} finally {
  await runScript(beside('down.ts'));
}
