import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { infoOf, openCluster, type OpenCluster, type OpenNode } from '../e2e/cluster/cluster-info.ts';
import { startPalisadeCluster } from '../e2e/cluster/palisade-cluster.ts';
import { waitUntil } from '../e2e/cluster/wait-until.ts';
import { cacheFolder } from '../e2e/host/cache.ts';
import { figure, median } from './figures.ts';

const applies = 20;
const eventSeconds = 20;

const statusSchema = z.object({
  metadata: z.object({ generation: z.number() }),
  status: z.object({
    observedGeneration: z.number(),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    activity: z.object({ lost: z.number().default(0) }).default({ lost: 0 }),
  }),
});

function policyText(name: string, value: string, action: object): string {
  const hook = {
    hook: 'file_open',
    args: [{ index: 0, type: 'file' }],
    selectors: [{ matchArgs: [{ index: 0, operator: 'Prefix', values: [value] }], matchActions: [action] }],
  };
  const options = [{ name: 'palisade.dev/event-rate', value: '1000000/s' }];
  return JSON.stringify({
    apiVersion: 'cilium.io/v1alpha1',
    kind: 'TracingPolicy',
    metadata: { name },
    spec: { podSelector: {}, options, lsmhooks: [hook] },
  });
}

async function applyAndWait(cluster: OpenCluster, name: string, text: string): Promise<number> {
  const startedMs = performance.now();
  await cluster.kubectl.run(['apply', '-f', '-'], text);
  await waitUntil(
    `${name} to be Ready`,
    async () => {
      const { metadata, status } = statusSchema.parse(await cluster.kubectl.json(['get', 'tracingpolicy', name]));
      const isReady = status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
      return isReady && status.observedGeneration === metadata.generation ? true : undefined;
    },
    { timeoutMs: 60_000, everyMs: 50 },
  );
  return performance.now() - startedMs;
}

/** Resident memory of a process on a node, in MiB, found by a part of its command line. */
async function residentMiB(node: OpenNode, commandLine: string): Promise<number> {
  const script = `for p in /proc/[0-9]*; do c=$(tr '\\0' ' ' < $p/cmdline 2>/dev/null); case "$c" in *supervise*) ;; *"$1"*) [ "$p" = /proc/$$ ] || sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' $p/status;; esac; done`;
  const { stdout } = await node.run(['sh', '-c', script, 'sh', commandLine]);
  return Number(stdout.trim().split('\n')[0] ?? Number.NaN) / 1024;
}

async function hostResidentMiB(pid: number): Promise<number> {
  return Number(/^VmRSS:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function eventLines(node: OpenNode): Promise<number> {
  const { stdout } = await node.run([
    'sh',
    '-c',
    'cat /var/log/palisade/events.log* 2>/dev/null | grep -c "\\"policy_name\\":\\"bench-events\\""',
  ]);
  return Number(stdout.trim());
}

async function measureEvents(cluster: OpenCluster, node: OpenNode): Promise<void> {
  await applyAndWait(cluster, 'bench-events', policyText('bench-events', '/tmp/bench', { action: 'Post' }));
  const command = ['sh', '-c', 'while :; do : > /tmp/bench; done'];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bench' },
    spec: { nodeName: node.name, containers: [{ name: 'bench', image: 'busybox', imagePullPolicy: 'IfNotPresent', command }] },
  };
  await cluster.kubectl.run(['create', '-f', '-'], JSON.stringify(pod));
  await cluster.kubectl.run(['wait', '--for=condition=Ready', 'pod/bench', '--timeout=60s']);
  const before = await eventLines(node);
  const startedMs = performance.now();
  await sleep(eventSeconds * 1000);
  const after = await eventLines(node);
  figure(`events from ${node.name}'s kernel to its NDJSON file`, ((after - before) * 1000) / (performance.now() - startedMs), 'events/s');
  await cluster.kubectl.run(['delete', 'pod', 'bench', '--force', '--grace-period=0']);
  await sleep(5_000);
  const { status } = statusSchema.parse(await cluster.kubectl.json(['get', 'tracingpolicy', 'bench-events']));
  figure('events lost and counted meanwhile', status.activity.lost, 'events');
}

/** Apply → Ready latency, events a second, memory, on the two-node cluster. */
export async function measureCluster(env: NodeJS.ProcessEnv): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'palisade-bench-'));
  const stopping = new AbortController();
  const running = await startPalisadeCluster({
    cache: cacheFolder(env),
    env,
    folder: path.join(folder, 'run'),
    kernels: ['6.1', '6.12'],
    build: 'release',
    controllerFlags: ['--activity-gap=2s'],
    agentFlags: ['--activity=1s'],
    signal: stopping.signal,
  });
  try {
    const cluster = openCluster(infoOf(running));
    const took: number[] = [];
    for (let n = 0; n < applies; n += 1)
      took.push(
        await applyAndWait(cluster, 'bench-latency', policyText('bench-latency', `/secret/${n}/`, { action: 'Override', argError: -1 })),
      );
    figure('apply → Ready on two nodes, first load', took[0] ?? Number.NaN, 'ms');
    figure(`apply → Ready on two nodes, median of ${applies - 1} changes`, median(took.slice(1)), 'ms');
    for (const node of cluster.nodes.slice(-1)) await measureEvents(cluster, node);
    figure('controller: resident memory', await hostResidentMiB(await cluster.pidOf('palisade-controller')), 'MiB');
    figure('webhook: resident memory', await hostResidentMiB(await cluster.pidOf('palisade-webhook')), 'MiB');
    for (const node of cluster.nodes) {
      figure(`agent on ${node.name}: resident memory`, await residentMiB(node, 'nodeagent/main.js'), 'MiB');
      figure(`loader on ${node.name}: resident memory`, await residentMiB(node, 'palisade-loader serve'), 'MiB');
    }
  } finally {
    stopping.abort();
    await running.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
