import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster } from './cluster-under-test.ts';
import { figure } from './figures.ts';
import { applyPolicy, conditionOf, deletePolicy, getPolicy, untilCondition, untilReady } from './policies.ts';
import { denySpec, startProber, type Prober } from './prober.ts';

const policy = { name: 'updated-under-load' };

/** The n-th version: three of four change values only, the fourth adds or removes a selector. */
function version(n: number, node?: string): object {
  const moreSelectors =
    Math.floor(n / 4) % 2 === 0
      ? []
      : [{ matchArgs: [{ index: 0, operator: 'Prefix', values: ['/tmp/structure/'] }], matchActions: [{ action: 'Post' }] }];
  return denySpec({ moreValues: [`/tmp/value-${n}`], moreSelectors, ...(node === undefined ? {} : { node }) });
}

async function updates(count: number, node?: string): Promise<void> {
  const startedMs = performance.now();
  const digests = new Set<string>();
  for (let n = 1; n <= count; n += 1) {
    await applyPolicy(policy, version(n, node));
    const { policy: ready } = await untilReady(policy, 30_000);
    digests.add(ready.status.digest ?? '');
  }
  figure('updates, each awaited', count);
  figure('different plans', digests.size);
  figure('per update', (performance.now() - startedMs) / count, 'ms');
}

describe('Proof 7: updates of an enforcing policy under a prober that opens the denied file all the time', () => {
  let probers: Prober[] = [];

  beforeAll(async () => {
    await applyPolicy(policy, version(0));
    await untilReady(policy);
    for (const { name } of cluster.nodes) probers.push(await startProber(`prober-${name}`, name));
  });
  afterAll(() => deletePolicy(policy));

  it('200 updates on one node', async () => {
    await updates(200, 'node-6-12');
  }, 900_000);

  it('40 updates on both nodes', async () => {
    await updates(40);
  }, 400_000);

  it('an update that fails on one node leaves the last good version enforcing there, and the status says so', async () => {
    const failing = version(1000);
    await applyPolicy(policy, {
      ...failing,
      kprobes: [{ call: 'security_file_post_open', syscall: false, args: [{ index: 0, type: 'file' }] }],
    });
    await untilCondition(policy, 'Loaded', 'False');
    const status = await getPolicy(policy);
    figure('Degraded says', conditionOf(status, 'Degraded')?.message ?? '');
    expect(status.status.failures[0]).toMatchObject({ nodes: 1, sampleNodes: ['node-6-1'] });
    expect(status.status.nodes['older'] ?? 0).toBe(1);
    await applyPolicy(policy, version(1001));
    await untilReady(policy);
  });

  it('and zero opens have succeeded', async () => {
    const counts = [];
    for (const prober of probers) counts.push({ node: prober.node, ...(await prober.stop()) });
    probers = [];
    for (const count of counts) figure(`${count.node}: calls`, count.calls);
    expect(counts.map((count) => count.opened)).toEqual(counts.map(() => 0));
    for (const count of counts) expect(count.calls).toBeGreaterThan(100);
  });
});
