import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { cacheFolder } from '../host/cache.ts';
import { clusterInfoSchema, infoOf, type ClusterInfo } from './cluster-info.ts';
import { startPalisadeCluster } from './palisade-cluster.ts';
import { testFlags } from './test-flags.ts';

declare module 'vitest' {
  interface ProvidedContext {
    cluster: ClusterInfo;
  }
}

/**
 * One cluster for all test files of the project, started before the first and ended after the last. While developing, a
 * cluster that runs already may be named: PALISADE_CLUSTER=.run/cluster.json (made by `make up`).
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const existing = process.env['PALISADE_CLUSTER'];
  if (existing !== undefined) {
    project.provide('cluster', clusterInfoSchema.parse(JSON.parse(await readFile(existing, 'utf8'))));
    return async () => {};
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'palisade-cluster-'));
  const stopping = new AbortController();
  const startedMs = performance.now();
  const cluster = await startPalisadeCluster({
    cache: cacheFolder(process.env),
    env: process.env,
    folder: path.join(folder, 'run'),
    kernels: ['6.1', '6.12'],
    build: 'faults',
    ...testFlags,
    signal: stopping.signal,
  });
  process.stdout.write(`cluster with Palisade ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
  project.provide('cluster', infoOf(cluster));
  return async () => {
    stopping.abort();
    await cluster.stop();
    if (process.env['PALISADE_KEEP_LOGS'] === undefined) await rm(folder, { recursive: true, force: true });
    else process.stdout.write(`logs of the cluster: ${folder}\n`);
  };
}
