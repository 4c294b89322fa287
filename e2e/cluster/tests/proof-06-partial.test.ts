import { afterAll, describe, expect, it } from 'vitest';
import { execIn, deletePod, startPod, untilRunning } from './pods.ts';
import { applyPolicy, conditionOf, deletePolicy, getPolicy, untilReady } from './policies.ts';
import { waitUntil } from '../wait-until.ts';
import { figure } from './figures.ts';

const policy = { name: 'on-new-kernels-only' };
/** security_file_post_open came with Linux 6.9. */
const hook = {
  call: 'security_file_post_open',
  syscall: false,
  args: [{ index: 0, type: 'file' }],
  selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['/tmp/forbidden'] }], matchActions: [{ action: 'Sigkill' }] }],
};

describe('Proof 6: a policy whose function exists on 6.12 only', () => {
  afterAll(async () => {
    await deletePolicy(policy);
    await deletePod('partial');
  });

  it('is enforced there, and the other node reports a stable reason; Ready is False and says why in one sentence', async () => {
    await applyPolicy(policy, { podSelector: {}, kprobes: [hook] });
    const status = await waitUntil(
      'both nodes to have answered',
      async () => {
        const answer = await getPolicy(policy);
        return answer.status.loaded === '1/2' && answer.status.nodes['pending'] === 0 ? answer : undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    expect(status.status.loaded).toBe('1/2');
    expect(status.status.enforcing).toBe('1/2');
    expect(status.status.failures).toHaveLength(1);
    expect(status.status.failures[0]).toMatchObject({ reason: expect.stringMatching(/NotFound$/), nodes: 1, sampleNodes: ['node-6-1'] });
    const ready = conditionOf(status, 'Ready');
    expect(ready?.status).toBe('False');
    figure('Ready says', ready?.message ?? '');
    expect(ready?.message).toMatch(/1.*2|node/);
    await startPod({ name: 'partial', node: 'node-6-12' }, ['sleep', '3600']);
    await untilRunning('partial');
    expect((await execIn('partial', ['sh', '-c', 'touch /tmp/forbidden; echo "status $?"'])).output).toContain('status 137');
  });

  it('a nodeSelector remedies it', async () => {
    await applyPolicy(policy, {
      podSelector: {},
      nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'node-6-12' } },
      kprobes: [hook],
    });
    const { policy: status } = await untilReady(policy);
    expect(status.status.loaded).toBe('1/1');
  });
});
