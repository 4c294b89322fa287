import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PAL_C_LOST, PAL_C_MATCH, PAL_C_RATE_LIMITED, PAL_C_UNKNOWN } from '../../../src/abi/layout.ts';
import { waitUntil } from '../wait-until.ts';
import { cluster, nodeNamed } from './cluster-under-test.ts';
import type { OpenNode } from '../cluster-info.ts';
import { engineCounters } from './engine.ts';
import { countEventsOf, lossesOf } from './events.ts';
import { figure } from './figures.ts';
import { podsOf } from './pods.ts';
import { applyPolicy, deletePolicy, untilReady } from './policies.ts';
import { denySpec, startProber, type Prober, type ProberCount } from './prober.ts';

const policy = { name: 'held-under-kills' };
/** Enough that there is always an event on its way when something is killed. */
const eventRate = '60/s';

/** Records that the agent of a node has got twice since it was started, and taken once. */
async function recordsAgain(node: OpenNode): Promise<string> {
  const pod = (await podsOf('palisade-system')).find((candidate) => candidate.spec.nodeName === node.name);
  const { stdout } = await node.run(['wget', '-qO-', `http://${pod?.status.podIP ?? ''}:2112/metrics`]);
  return /^\S*agent_records_again\S* (\d+)/m.exec(stdout)?.[1] ?? 'unknown';
}

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
  let uid = '';
  const lossesBefore = new Map<string, ReadonlyMap<string, number>>();

  beforeAll(async () => {
    await applyPolicy(policy, denySpec({ rate: eventRate }));
    uid = (await untilReady(policy)).policy.metadata.uid;
    for (const node of cluster.nodes) lossesBefore.set(node.name, await lossesOf(node));
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
      async () => (await applyPolicy(policy, denySpec({ moreValues: [`/tmp/after-${name}`], rate: eventRate })), true),
      { timeoutMs: 30_000, everyMs: 300 },
    );
    figure('an update is Ready after', (await untilReady(policy, 150_000)).tookMs, 'ms');
  });

  const counts: (ProberCount & { readonly node: OpenNode })[] = [];
  it('and zero opens have succeeded', async () => {
    for (const prober of probers) counts.push({ node: nodeNamed(prober.node), ...(await prober.stop()) });
    probers = [];
    for (const { node, calls } of counts) figure(`${node.name}: calls`, calls);
    expect(counts.map(({ opened }) => opened)).toEqual(counts.map(() => 0));
    for (const { node, calls } of counts) expect(calls, node.name).toBeGreaterThan(100);
  });

  it("and on each node the prober's calls equal events plus counted losses plus rate-limited ones", async () => {
    expect(counts).toHaveLength(cluster.nodes.length);
    for (const { node, calls } of counts) {
      const counters = await engineCounters(node, uid);
      const counted = (index: number): number => Number(counters[index] ?? 0n);
      const [matched, limited, lost] = [counted(PAL_C_MATCH), counted(PAL_C_RATE_LIMITED), counted(PAL_C_LOST)];
      // The runtime starts containers (and kubectl exec) by opens of detached mounts in the pod: unknown paths, matched and let through.
      const others = counted(PAL_C_UNKNOWN);
      // Lines of matches that the agent could not name are losses as well, and counted one by one.
      const sums = await lossesOf(node);
      const lines = new Map([...sums].map(([reason, sum]) => [reason, sum - (lossesBefore.get(node.name)?.get(reason) ?? 0)]));
      const unnamed = lines.get('UnknownPolicy') ?? 0;
      let events = 0;
      await waitUntil(
        `all events of ${node.name}`,
        async () => {
          events = await countEventsOf(node, policy.name);
          return events + lost + unnamed + limited >= matched ? true : undefined;
        },
        { timeoutMs: 60_000, everyMs: 500 },
      ).catch(() => undefined);
      figure(
        `${node.name}: calls + the runtime's = events + lost + without a name + rate-limited`,
        `${calls} + ${others} = ${events} + ${lost} + ${unnamed} + ${limited}; seen by the engine: ${matched}`,
      );
      figure(`${node.name}: records that came twice and were taken once`, await recordsAgain(node));
      figure(`${node.name}: records that loss lines tell of, of all kinds`, JSON.stringify(Object.fromEntries(lines)));
      expect.soft(matched, `${node.name}: the engine has seen`).toBe(calls + others);
      expect.soft(events + lost + unnamed + limited, `${node.name}: accounted for`).toBe(calls + others);
    }
  });

  it('and no container was restarted by the kubelet', async () => {
    const restarts = (await podsOf('palisade-system')).flatMap((pod) =>
      pod.status.containerStatuses.map((container) => container.restartCount),
    );
    expect(Math.max(...restarts)).toBe(0);
  });
});
