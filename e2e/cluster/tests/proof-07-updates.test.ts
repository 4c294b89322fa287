import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../wait-until.ts';
import { cluster } from './cluster-under-test.ts';
import { activeGeneration } from './engine.ts';
import { figure } from './figures.ts';
import { deletePod } from './pods.ts';
import { applyPolicy, conditionOf, deletePolicy, getPolicy, untilReady, type PolicyObject } from './policies.ts';
import { denySpec, startProber, type Prober } from './prober.ts';

const policy = { name: 'updated-under-load' };
const started: Prober[] = [];

async function startProbers(name: string, nodes: readonly string[]): Promise<readonly Prober[]> {
  const probers: Prober[] = [];
  for (const node of nodes) probers.push(await startProber(`${name}-${node}`, node));
  started.push(...probers);
  return probers;
}

function allNodes(): readonly string[] {
  return cluster.nodes.map(({ name }) => name);
}

/** Every fourth version adds or removes a selector; the others change values only. */
function isStructural(n: number): boolean {
  return n % 4 === 0;
}

function version(n: number, node?: string): object {
  const moreSelectors =
    Math.floor(n / 4) % 2 === 0
      ? []
      : [{ matchArgs: [{ index: 0, operator: 'Prefix', values: ['/tmp/structure/'] }], matchActions: [{ action: 'Post' }] }];
  return denySpec({ moreValues: [`/tmp/value-${n}`], moreSelectors, ...(node === undefined ? {} : { node }) });
}

/** By node the generation that the engine itself says is active: every flip adds one. */
async function generations(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const nodes = cluster.nodes.filter(({ name }) => names.includes(name));
  return new Map(await Promise.all(nodes.map(async (node) => [node.name, await activeGeneration(node)] as const)));
}

/** Updates one after the other, each awaited until the nodes report its digest; fewer on a machine that is too slow for all of them. */
async function updates(count: number, budgetMs: number, node?: string): Promise<void> {
  const startedMs = performance.now();
  const digests = new Set<string>();
  const before = await generations(node === undefined ? allNodes() : [node]);
  let done = 0;
  let structural = 0;
  while (done < count && performance.now() - startedMs < budgetMs) {
    await applyPolicy(policy, version(done + 1, node));
    const { policy: ready } = await untilReady(policy, 60_000);
    digests.add(ready.status.digest ?? '');
    done += 1;
    structural += isStructural(done) ? 1 : 0;
  }
  figure(`updates of ${count}, each awaited`, done);
  figure('different plans', digests.size);
  figure('of structure', structural);
  const after = await generations([...before.keys()]);
  for (const [name, generation] of after) figure(`${name}: real flips`, generation - (before.get(name) ?? 0));
  figure('per update', (performance.now() - startedMs) / done, 'ms');
  for (const [name, generation] of after) expect(generation - (before.get(name) ?? 0), name).toBeGreaterThanOrEqual(done);
  expect(done).toBeGreaterThanOrEqual(count / 10);
}

/** Waits until every node has answered and so many have failed. */
async function untilFailed(count: number): Promise<{ policy: PolicyObject }> {
  const answered = await waitUntil(
    `${count} nodes to have failed`,
    async () => {
      const answer = await getPolicy(policy);
      const isAnswered = answer.status.observedGeneration === answer.metadata.generation && answer.status.nodes['pending'] === 0;
      return isAnswered && answer.status.nodes['failed'] === count ? answer : undefined;
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
  return { policy: answered };
}

/** Sets a fault point of the test build of the loader off on all nodes until it is taken away. */
async function setFault(point: string | null): Promise<void> {
  const file = '/var/lib/palisade/loader/fault';
  const script = point === null ? `rm -f ${file}` : `echo ${point} > ${file}`;
  for (const node of cluster.nodes) expect(await node.run(['sh', '-c', script])).toMatchObject({ status: 0 });
}

async function expectNothingOpened(probers: readonly Prober[]): Promise<void> {
  const counts = [];
  for (const prober of probers) counts.push({ node: prober.node, ...(await prober.stop()) });
  for (const { node, calls } of counts) figure(`${node}: opens tried meanwhile`, calls);
  expect(counts.map(({ opened }) => opened)).toEqual(counts.map(() => 0));
  for (const { node, calls } of counts) expect(calls, node).toBeGreaterThan(100);
}

describe('Proof 7: updates of an enforcing policy under a prober that opens the denied file all the time', () => {
  afterAll(() => deletePolicy(policy));
  // A test that failed leaves its probers behind, and they would be counted by others.
  afterEach(() => Promise.all(started.splice(0).map(({ name }) => deletePod(name))));

  it('200 updates on one node: zero opens succeed', async () => {
    const node = 'node-6-12';
    await applyPolicy(policy, version(0, node));
    await untilReady(policy);
    const probers = await startProbers('prober-one', [node]);
    await updates(200, 300_000, node);
    await expectNothingOpened(probers);
  }, 900_000);

  it('an update that fails at load on all nodes: the last good version goes on enforcing, and the status says so', async () => {
    await applyPolicy(policy, version(2000));
    const good = (await untilReady(policy)).policy;
    const probers = await startProbers('prober-fault', allNodes());
    const before = await generations(allNodes());
    try {
      await setFault('hook_load');
      // The test build of the loader refuses to load as long as the file is there.
      await applyPolicy(policy, version(2004));
      const { policy: status } = await untilFailed(cluster.nodes.length);
      const ready = conditionOf(status, 'Ready');
      figure('Ready says', `${ready?.status ?? ''} ${ready?.reason ?? ''}: ${ready?.message ?? ''}`);
      figure('wanted and last good digest', `${status.status.digest ?? ''} ${good.status.digest ?? ''}`);
      figure('nodes that run an older version', status.status.nodes['older'] ?? 0);
      expect(ready).toMatchObject({ status: 'False' });
      expect(ready?.message).toContain(`an older version goes on running on ${cluster.nodes.length}`);
      expect(status.status.failures[0]).toMatchObject({ reason: 'VerifierRejected', nodes: cluster.nodes.length });
      expect(status.status.nodes).toMatchObject({ older: cluster.nodes.length, loaded: 0 });
      expect(status.status.digest).not.toBe(good.status.digest);
      expect(await generations(allNodes()), 'nothing was flipped').toEqual(before);
    } finally {
      await setFault(null);
    }
    await applyPolicy(policy, version(2005));
    figure('an update without the fault is Ready after', (await untilReady(policy)).tookMs, 'ms');
    await expectNothingOpened(probers);
  }, 300_000);

  it('40 updates on both nodes, one that fails on one node, one that mends it: zero opens succeed', async () => {
    await applyPolicy(policy, version(0));
    await untilReady(policy);
    const probers = await startProbers('prober-both', allNodes());
    await updates(40, 150_000);

    const spec = { ...version(1000), kprobes: [{ call: 'security_file_post_open', syscall: false, args: [{ index: 0, type: 'file' }] }] };
    await applyPolicy(policy, spec);
    const { policy: status } = await untilFailed(1);
    // The last good version goes on enforcing on the node that cannot take the new one, and the status says so.
    figure('Ready says', conditionOf(status, 'Ready')?.message ?? '');
    expect(status.status.failures[0]).toMatchObject({ nodes: 1, sampleNodes: ['node-6-1'] });
    expect(status.status.nodes['older'] ?? 0).toBe(1);
    await applyPolicy(policy, version(1001));
    await untilReady(policy);
    await expectNothingOpened(probers);
  }, 900_000);
});
