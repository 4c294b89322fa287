import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, kubectl } from './cluster-under-test.ts';
import { eventsOf, hookOf, untilEvent, type EventLine } from './events.ts';
import { figure } from './figures.ts';
import { deletePod, getPod, podsOf, runToEnd, untilEnded } from './pods.ts';
import { applyExample, deletePolicy, untilReady } from './policies.ts';

const policy = { name: 'block-etc-writes' };

describe("Proof 2: the seed's block-etc-writes, applied with kubectl, becomes Ready, and its attack dies by SIGKILL", () => {
  beforeAll(async () => {
    await applyExample('seed/block-etc-writes.yaml');
    figure('apply → Ready', (await untilReady(policy)).tookMs, 'ms');
  });
  afterAll(async () => {
    await deletePod('test-pod');
    await deletePolicy(policy);
  });

  it("the seed's kubectl run test-pod dies by SIGKILL, exit code 137", async () => {
    await kubectl.run(['run', 'test-pod', '--image=busybox', '--restart=Never', '--', 'sh', '-c', 'echo test > /etc/passwd']);
    expect(await untilEnded('test-pod')).toBe(137);
    expect(await kubectl.run(['logs', 'test-pod'])).toBe('');
  });

  let event: EventLine;
  it("the event in the NDJSON file has every key that the seed's JSON prints", async () => {
    event = await untilEvent(
      'the kill of test-pod',
      (line) => hookOf(line)?.policy_name === policy.name && hookOf(line)?.process.pod?.name === 'test-pod',
    );
    const hook = hookOf(event);
    expect(event.process_kprobe).toBeDefined();
    expect(hook).toMatchObject({
      process: {
        exec_id: expect.any(String),
        pid: expect.any(Number),
        uid: 0,
        binary: '/bin/sh',
        arguments: expect.stringContaining('echo test > /etc/passwd'),
        pod: {
          namespace: 'default',
          name: 'test-pod',
          container: { name: 'test-pod', image: { name: expect.stringContaining('busybox') } },
        },
      },
      function_name: 'security_file_open',
      args: [{ file_arg: { path: '/etc/passwd' } }],
      action: 'KPROBE_ACTION_SIGKILL',
      policy_name: 'block-etc-writes',
    });
    expect(event.node_name).toBe((await getPod('test-pod')).spec.nodeName);
  });

  it("the process's exec, its parent chain and its exit are there", async () => {
    const id = hookOf(event)?.process.exec_id;
    const exec = await untilEvent('the exec', (line) => line.process_exec?.process.exec_id === id);
    await untilEvent('the exit', (line) => line.process_exit?.process.exec_id === id && line.process_exit?.signal === 'SIGKILL');
    const node = cluster.nodes.find((candidate) => candidate.name === event.node_name);
    const all = node === undefined ? [] : await eventsOf(node);
    const known = new Map(
      all.flatMap((line) =>
        line.process_exec?.process.exec_id === undefined ? [] : [[line.process_exec.process.exec_id, line.process_exec]],
      ),
    );
    let chain = 0;
    for (let at: string | undefined = exec.process_exec?.process.parent_exec_id; at !== undefined && known.has(at); chain += 1)
      at = known.get(at)?.process.parent_exec_id;
    figure('ancestors found for the killed process', chain);
    expect(exec.process_exec?.process.parent_exec_id).toBeTruthy();
    expect(chain).toBeGreaterThan(0);
  });

  it('palisade events -o compact | grep block-etc-writes finds it', async () => {
    const pods = await podsOf('palisade-system');
    const agent = pods.find((pod) => pod.spec.nodeName === event.node_name)?.metadata.name ?? '';
    const output = await kubectl.run([
      '-n',
      'palisade-system',
      'exec',
      agent,
      '-c',
      'agent',
      '--',
      '/usr/bin/palisade',
      'events',
      '-o',
      'compact',
    ]);
    const line = output.split('\n').find((candidate) => candidate.includes('block-etc-writes'));
    figure('compact line', line ?? '');
    expect(line).toContain('🔴 SIGKILL default/test-pod /bin/sh /etc/passwd (block-etc-writes)');
  });

  it('a pod in kube-system is left alone', async () => {
    const { exitCode } = await runToEnd({ name: 'system-writer', namespace: 'kube-system' }, ['sh', '-c', 'echo test > /etc/passwd']);
    expect(exitCode).toBe(0);
  });

  it("a process of uid 1000 that the node's init started outside kubepods is left alone", async () => {
    for (const node of cluster.nodes) {
      expect(await node.run(['cat', '/etc/passwd'], { uid: 1000 })).toMatchObject({ status: 0 });
    }
  });

  it('our own agent and loader are left alone: restart count 0', async () => {
    for (const pod of await podsOf('palisade-system')) {
      for (const container of pod.status.containerStatuses)
        expect(`${container.name} ${container.restartCount}`).toBe(`${container.name} 0`);
    }
  });
});
