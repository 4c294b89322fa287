import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster } from './cluster-under-test.ts';
import { figure } from './figures.ts';
import { deletePod, execIn, startPod, untilRunning } from './pods.ts';
import { applyPolicy, deletePolicy, getPolicy, untilReady } from './policies.ts';
import { waitUntil } from '../wait-until.ts';

const policy = { name: 'deny-chosen-path' };
const spec = (mode: 'enforce' | 'monitor'): object => ({
  options: [{ name: 'policy-mode', value: mode }],
  podSelector: {},
  lsmhooks: [
    {
      hook: 'file_open',
      args: [{ index: 0, type: 'file' }],
      selectors: [
        { matchArgs: [{ index: 0, operator: 'Equal', values: ['/tmp/chosen'] }], matchActions: [{ action: 'Override', argError: -1 }] },
      ],
    },
  ],
});
const pod = (node: string): string => `writer-${node}`;

describe('Proof 4: an lsmhooks policy with Override −1 makes a write to a chosen path fail with EPERM on both nodes', () => {
  beforeAll(async () => {
    for (const { name } of cluster.nodes)
      await startPod({ name: pod(name), node: name }, ['sh', '-c', 'echo original > /tmp/chosen; sleep 3600']);
    for (const { name } of cluster.nodes) await untilRunning(pod(name));
  });
  afterAll(async () => {
    await deletePolicy(policy);
    for (const { name } of cluster.nodes) await deletePod(pod(name));
  });

  it('the write is refused on both nodes', async () => {
    await applyPolicy(policy, spec('enforce'));
    figure('apply → Ready', (await untilReady(policy)).tookMs, 'ms');
    for (const { name } of cluster.nodes) {
      const { status, output } = await execIn(pod(name), ['sh', '-c', 'echo changed > /tmp/chosen']);
      expect(status, name).not.toBe(0);
      expect(output).toContain('Operation not permitted');
    }
  });

  it('with policy-mode: monitor nothing is denied, and the status counts what would have been', async () => {
    await applyPolicy(policy, spec('monitor'));
    const { policy: ready } = await untilReady(policy);
    expect(ready.status.mode).toMatch(/^Monitor/);
    for (const { name } of cluster.nodes) {
      expect((await execIn(pod(name), ['cat', '/tmp/chosen'])).output.trim(), `unchanged on ${name}`).toBe('original');
    }
    const counted = await waitUntil(
      'status.activity.wouldEnforce',
      async () => {
        const value = Number((await getPolicy(policy)).status.activity['wouldEnforce'] ?? 0);
        return value >= cluster.nodes.length ? value : undefined;
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
    figure('would have been denied', counted);
  });
});
