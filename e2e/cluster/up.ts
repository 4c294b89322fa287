import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { binFolder, keeperLog, kubeconfigFile, readRunState, runFolder } from './run-folder.ts';

/** Starts the cluster in the background and returns when Palisade on it is ready. */
const startedMs = performance.now();

function invitation(): string {
  const exports = `export KUBECONFIG=${kubeconfigFile} PATH=${binFolder}:$PATH`;
  return `\n${exports}\nkubectl get nodes,tracingpolicies\n`;
}

if ((await readRunState()) !== undefined) {
  process.stdout.write(`The cluster runs already; make down ends it.\n${invitation()}`);
  process.exit(0);
}
await mkdir(runFolder, { recursive: true });
await rm(keeperLog, { force: true });
const log = openSync(keeperLog, 'a');
const keeper = spawn(process.execPath, [path.join(import.meta.dirname, 'keeper.ts')], { detached: true, stdio: ['ignore', log, log] });
closeSync(log);
let ended: string | undefined;
keeper.on('error', (error) => (ended = error.message));
keeper.on('exit', (status, signal) => (ended = `status ${signal ?? status}`));
// Whoever waits for the cluster and gives up wants no half of one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => keeper.kill('SIGTERM'));

let shown = 0;
for (;;) {
  const text = await readFile(keeperLog, 'utf8').catch(() => '');
  process.stderr.write(text.slice(shown));
  shown = text.length;
  if (ended !== undefined) {
    process.stderr.write(`The cluster did not start (${ended}); its logs are in ${runFolder}\n`);
    process.exit(1);
  }
  if ((await readRunState())?.phase === 'ready') break;
  await sleep(200);
}
keeper.unref();
process.stdout.write(`Ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s.\n${invitation()}`);
process.exit(0);
