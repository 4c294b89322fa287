import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileOpenPolicy, testPolicy } from '../../src/linker/testing/policies.ts';
import { bootKernel, type KernelUnderTest } from './kernel-under-test.ts';

const first = '11111111-2222-3333-4444-555555555555';
const other = '22222222-2222-3333-4444-555555555555';
const late = '33333333-2222-3333-4444-555555555555';
const team = (uid: string): { uid: string; namespace: string; labels: Record<string, string> } => ({
  uid,
  namespace: 'team-a',
  labels: { app: 'web' },
});
const stranger = { uid: other, namespace: 'team-b', labels: { app: 'web' } };

const ofTeam = fileOpenPolicy('team', { prefix: '/t/secret/' }, { namespace: 'team-a' });
const ofPending = testPolicy(
  'pending',
  `options: [{name: palisade.dev/on-pending, value: apply}]
podSelector: {matchLabels: {app: db}}
lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Postfix, values: [.conf]}]
    matchActions: [{action: Override, argError: -13}]`,
);

const root = '/sys/fs/cgroup/kubepods';
const cgroups = {
  [first]: `${root}/burstable/pod${first}/c1`,
  [other]: `${root}/kubepods-besteffort.slice/kubepods-besteffort-pod${other.replaceAll('-', '_')}.slice`,
  [late]: `${root}/pod${late}/c1`,
};

/** Cgroups made while a policy is active, pods that come, change and go: on one kernel, since the code is the same on all. */
describe("A namespaced policy acts on its own namespace's pods only, and on a new pod from its first instruction", () => {
  let kernel: KernelUnderTest;

  beforeAll(async () => {
    kernel = await bootKernel('6.1');
    // The agent knows a pod when it is bound to the node, before the kubelet makes its cgroup.
    await kernel.setScope({ pods: [team(first), stranger], cgroups: [] });
    await kernel.apply([ofTeam, ofPending], [team(first), stranger]);
    const { status, stderr } = await kernel.vm.machine.run(['mkdir', '-p', ...Object.values(cgroups)]);
    if (status !== 0) throw new Error(stderr);
  });

  afterAll(async () => await kernel?.[Symbol.asyncDispose]());

  async function open(uid: keyof typeof cgroups | null, path: string): Promise<number> {
    const cgroup = uid === null ? {} : { cgroup: cgroups[uid] ?? '' };
    return (await kernel.act({ path, ...cgroup })).status;
  }

  it('denies the pod of the namespace at once, and neither the host nor another pod', async () => {
    expect(await open(first, '/t/secret/one')).toBe(1);
    expect(await open(other, '/t/secret/one')).toBe(0);
    expect(await open(null, '/t/secret/one')).toBe(0);
  });

  it('leaves a pod alone whose identity is not known, unless a policy of the cluster asks for it', async () => {
    expect(await open(late, '/t/secret/one')).toBe(0);
    expect(await open(late, '/t/secret/two.conf')).toBe(13);
    expect(await open(other, '/t/secret/two.conf')).toBe(0);
  });

  it('acts as soon as the identity of a pending pod arrives, without a flip', async () => {
    const generation = kernel.generation();
    await kernel.setScope({ pods: [team(first), stranger, team(late)], cgroups: await owners(kernel, late) });
    expect(await open(late, '/t/secret/one')).toBe(1);
    expect(await open(late, '/t/a.conf')).toBe(0);
    expect(kernel.generation()).toBe(generation);
  });

  it('follows a change of labels, and keeps what it knows of pods over a change of policies', async () => {
    const relabelled = { ...stranger, labels: { app: 'db' } };
    await kernel.setScope({
      pods: [team(first), relabelled, team(late)],
      cgroups: [...(await owners(kernel, late)), ...(await owners(kernel, other))],
    });
    expect(await open(other, '/t/a.conf')).toBe(13);
    await kernel.apply([ofTeam]);
    expect(await open(other, '/t/a.conf')).toBe(0);
    expect(await open(first, '/t/secret/one')).toBe(1);
    expect(await open(late, '/t/secret/one')).toBe(1);
  });
});

/** Pod and container level of a pod, as the agent's walk finds them. */
async function owners(
  kernel: KernelUnderTest,
  podUid: typeof late | typeof other,
): Promise<[bigint, { podUid: string; podCgroupId: bigint; containerId: null }][]> {
  const leaf = cgroups[podUid] ?? '';
  const paths = podUid === late ? [leaf.slice(0, leaf.lastIndexOf('/')), leaf] : [leaf];
  const { stdout } = await kernel.vm.machine.run(['stat', '-c', '%i', ...paths]);
  const ids = stdout.trim().split('\n').map(BigInt);
  return ids.map((id) => [id, { podUid, podCgroupId: ids[0] ?? 0n, containerId: null }]);
}
