import { afterAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../wait-until.ts';
import { cluster } from './cluster-under-test.ts';
import { figure } from './figures.ts';
import { applyPolicy, conditionOf, deletePolicy, getPolicy, untilReady } from './policies.ts';
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

/** Updates one after the other, each awaited until the nodes report its digest; fewer on a machine that is too slow for all of them. */
async function updates(count: number, budgetMs: number, node?: string): Promise<void> {
  const startedMs = performance.now();
  const digests = new Set<string>();
  let done = 0;
  while (done < count && performance.now() - startedMs < budgetMs) {
    await applyPolicy(policy, version(done + 1, node));
    const { policy: ready } = await untilReady(policy, 60_000);
    digests.add(ready.status.digest ?? '');
    done += 1;
  }
  figure(`updates of ${count}, each awaited`, done);
  figure('different plans', digests.size);
  figure('per update', (performance.now() - startedMs) / done, 'ms');
  expect(done).toBeGreaterThanOrEqual(count / 10);
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

  it('200 updates on one node: zero opens succeed', async () => {
    const node = 'node-6-12';
    await applyPolicy(policy, version(0, node));
    await untilReady(policy);
    const prober = await startProber('prober-one', node);
    await updates(200, 240_000, node);
    await expectNothingOpened([prober]);
  }, 900_000);

  it('40 updates on both nodes, one that fails on one node, one that mends it: zero opens succeed', async () => {
    await applyPolicy(policy, version(0));
    await untilReady(policy);
    const probers: Prober[] = [];
    for (const { name } of cluster.nodes) probers.push(await startProber(`prober-${name}`, name));
    await updates(40, 90_000);

    const spec = { ...version(1000), kprobes: [{ call: 'security_file_post_open', syscall: false, args: [{ index: 0, type: 'file' }] }] };
    await applyPolicy(policy, spec);
    const status = await waitUntil(
      'both nodes to have answered',
      async () => {
        const answer = await getPolicy(policy);
        const isAnswered = answer.status.observedGeneration === answer.metadata.generation && answer.status.nodes['pending'] === 0;
        return isAnswered && answer.status.failures.length > 0 ? answer : undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    // The last good version goes on enforcing on the node that cannot take the new one, and the status says so.
    figure('Ready says', conditionOf(status, 'Ready')?.message ?? '');
    expect(status.status.failures[0]).toMatchObject({ nodes: 1, sampleNodes: ['node-6-1'] });
    expect(status.status.nodes['older'] ?? 0).toBe(1);
    await applyPolicy(policy, version(1001));
    await untilReady(policy);
    await expectNothingOpened(probers);
  }, 900_000);
});
