import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../host/cache.ts';
import { infoOf } from './cluster-info.ts';
import { startPalisadeCluster } from './palisade-cluster.ts';
import { binFolder, clusterFolder, infoFile, kubeconfigFile, runFolder, startTicksOf, stateFile, type RunState } from './run-folder.ts';

/**
 * Owns the cluster of `make up`: all its processes are children of this one, end with it, and are watched by it. Started by
 * up.ts without a terminal; ended by down.ts with SIGTERM.
 */
const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stopping.abort(new Error(signal)));

async function writeState(phase: RunState['phase']): Promise<void> {
  const state: RunState = { pid: process.pid, startTicks: (await startTicksOf(process.pid)) ?? '', phase };
  // Others read it while it is written.
  await writeFile(`${stateFile}.new`, JSON.stringify(state));
  await rename(`${stateFile}.new`, stateFile);
}

await mkdir(runFolder, { recursive: true });
await writeState('starting');
try {
  const cluster = await startPalisadeCluster({
    cache: cacheFolder(process.env),
    env: process.env,
    folder: clusterFolder,
    kernels: ['6.1', '6.12'],
    build: 'release',
    signal: stopping.signal,
  });
  try {
    await cp(cluster.controlPlane.kubeconfigFile, kubeconfigFile);
    await mkdir(binFolder, { recursive: true });
    const kubectl = path.join(binFolder, 'kubectl');
    await rm(kubectl, { force: true });
    await symlink(path.join(cluster.binaries, 'kubectl'), kubectl);
    await writeFile(infoFile, JSON.stringify(infoOf(cluster)));
    await writeState('ready');
    await new Promise<void>((resolve) => {
      if (stopping.signal.aborted) resolve();
      stopping.signal.addEventListener('abort', () => resolve(), { once: true });
      // A timer keeps the process alive whatever else it waits for.
      const timer = setInterval(() => {}, 60_000);
      stopping.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    });
  } finally {
    await cluster.stop();
  }
} catch (error) {
  if (!stopping.signal.aborted) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
} finally {
  await rm(stateFile, { force: true });
  await rm(infoFile, { force: true });
  await rm(kubeconfigFile, { force: true });
  process.exit();
}
