import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../wait-until.ts';
import { cluster } from './cluster-under-test.ts';
import type { OpenNode } from '../cluster-info.ts';
import { figure } from './figures.ts';
import { podsOf } from './pods.ts';
import { applyPolicy, deletePolicy, untilReady } from './policies.ts';
import { denySpec, startProber, type Prober } from './prober.ts';

const policy = { name: 'held-under-kills' };

/** Process ids on a node of the programs whose command line fits, but for the supervisors that restart them. */
async function pidsOn(node: OpenNode, pattern: string): Promise<number[]> {
  const script = `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q -- '${pattern}' && echo "\${p#/proc/} $(tr '\\0' ' ' < $p/cmdline)"; done`;
  const { stdout } = await node.run(['sh', '-c', script]);
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.includes('supervise') && !line.includes('grep') && !line.includes('for p in'))
    .map((line) => Number(line.split(' ')[0]));
}

async function killOn(node: OpenNode, pattern: string): Promise<number> {
  const before = await pidsOn(node, pattern);
  expect(before.length, `${pattern} on ${node.name}`).toBeGreaterThan(0);
  const startedMs = performance.now();
  for (const pid of before) await node.run(['kill', '-9', String(pid)]);
  await waitUntil(
    `${pattern} on ${node.name} to come back`,
    async () => {
      const after = await pidsOn(node, pattern);
      return after.length > 0 && after.every((pid) => !before.includes(pid)) ? after : undefined;
    },
    { timeoutMs: 30_000 },
  );
  return performance.now() - startedMs;
}

async function killOnHost(name: string): Promise<number> {
  const before = await cluster.pidOf(name);
  const startedMs = performance.now();
  process.kill(before, 'SIGKILL');
  await waitUntil(`${name} to come back`, async () => ((await cluster.pidOf(name)) === before ? undefined : true), { timeoutMs: 10_000 });
  return performance.now() - startedMs;
}

describe('Proof 8: kill -9 of loader, agent, controller and webhook, each under the prober', () => {
  let probers: Prober[] = [];

  beforeAll(async () => {
    await applyPolicy(policy, denySpec());
    await untilReady(policy);
    for (const { name } of cluster.nodes) probers.push(await startProber(`killer-${name}`, name));
  });
  afterAll(() => deletePolicy(policy));

  it.each([
    ['loader', 'palisade-loader serve'],
    ['agent', 'nodeagent/main.js'],
  ])('the %s of both nodes comes back without help, and the status converges', async (name, pattern) => {
    for (const node of cluster.nodes) figure(`${name} of ${node.name} is back`, await killOn(node, pattern), 'ms');
    const { tookMs } = await untilReady(policy, 150_000);
    figure('status Ready after', tookMs, 'ms');
  });

  it.each(['palisade-controller', 'palisade-webhook'])('%s comes back without help, and the status converges', async (name) => {
    figure(`${name} is back`, await killOnHost(name), 'ms');
    await waitUntil(
      'an update to be accepted',
      async () => (await applyPolicy(policy, denySpec({ moreValues: [`/tmp/after-${name}`] })), true),
      { timeoutMs: 30_000, everyMs: 300 },
    );
    figure('an update is Ready after', (await untilReady(policy, 150_000)).tookMs, 'ms');
  });

  it('and zero opens have succeeded', async () => {
    const counts = [];
    for (const prober of probers) counts.push({ node: prober.node, ...(await prober.stop()) });
    probers = [];
    for (const count of counts) figure(`${count.node}: calls`, count.calls);
    expect(counts.map((count) => count.opened)).toEqual(counts.map(() => 0));
    for (const count of counts) expect(count.calls, count.node).toBeGreaterThan(100);
  });

  it('and no container was restarted by the kubelet', async () => {
    const restarts = (await podsOf('palisade-system')).flatMap((pod) =>
      pod.status.containerStatuses.map((container) => container.restartCount),
    );
    expect(Math.max(...restarts)).toBe(0);
  });
});
