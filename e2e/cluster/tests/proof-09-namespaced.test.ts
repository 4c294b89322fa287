import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl } from './cluster-under-test.ts';
import { figure } from './figures.ts';
import { deletePod, startPod, untilEnded } from './pods.ts';
import { applyPolicy, deletePolicy, getPolicy, untilReady } from './policies.ts';

const team = 'team-a';
const policy = { name: 'no-touch', namespace: team };
const attack = ['touch', '/tmp/attack'];
const pods = Array.from({ length: 20 }, (_, index) => `attacker-${index}`);

describe("Proof 9: a namespaced policy acts on its own namespace's pods only, and on a new pod from its first instruction", () => {
  beforeAll(async () => {
    await kubectl.run(['create', 'namespace', team]);
    await applyPolicy(policy, {
      kprobes: [
        {
          call: 'security_file_open',
          syscall: false,
          args: [{ index: 0, type: 'file' }],
          selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['/tmp/attack'] }], matchActions: [{ action: 'Sigkill' }] }],
        },
      ],
    });
    figure('apply → Ready', (await untilReady(policy)).tookMs, 'ms');
  });
  afterAll(async () => {
    await deletePolicy(policy);
    await kubectl.run(['delete', 'namespace', team, '--wait=false']);
  });

  it('a container whose entry point is the attack is killed, twenty times', async () => {
    const codes: number[] = [];
    // A few at a time: two emulated nodes have one processor each.
    for (let at = 0; at < pods.length; at += 4) {
      const some = pods.slice(at, at + 4);
      for (const name of some) await startPod({ name, namespace: team }, attack);
      for (const name of some) codes.push(await untilEnded(name, team, 120_000));
    }
    figure('exit codes', codes.join(' '));
    expect(codes).toEqual(pods.map(() => 137));
  }, 600_000);

  it('the same container in another namespace is left alone', async () => {
    await startPod({ name: 'bystander' }, attack);
    expect(await untilEnded('bystander')).toBe(0);
    await deletePod('bystander');
  });

  it('no pod started without protection', async () => {
    const { unprotectedStarts } = (await getPolicy(policy)).status.activity;
    figure('unprotectedStarts', Number(unprotectedStarts ?? 0));
    expect(unprotectedStarts ?? 0).toBe(0);
  });
});
