import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../host/command.ts';
import { waitUntil } from '../wait-until.ts';
import { cluster, kubectl } from './cluster-under-test.ts';
import { figure } from './figures.ts';
import { execIn, deletePod, startPod, untilRunning } from './pods.ts';
import { applyPolicy, deletePolicy, untilReady } from './policies.ts';
import { deniedPath, denySpec } from './prober.ts';

const policy = { name: 'to-be-lifted' };
const cli = path.join(import.meta.dirname, '../../../dist/src/cli/main.js');

describe('Proof 10: deleting the policy lifts it within seconds', () => {
  it('on both nodes', async () => {
    await applyPolicy(policy, denySpec());
    await untilReady(policy);
    for (const { name } of cluster.nodes) await startPod({ name: `lifted-${name}`, node: name }, ['sleep', '3600']);
    for (const { name } of cluster.nodes) await untilRunning(`lifted-${name}`);
    const touch = async (name: string): Promise<number> => (await execIn(`lifted-${name}`, ['sh', '-c', `: > ${deniedPath}`])).status;
    for (const { name } of cluster.nodes) expect(await touch(name), name).not.toBe(0);
    await deletePolicy(policy);
    const startedMs = performance.now();
    for (const { name } of cluster.nodes)
      await waitUntil(`${name} to be free`, async () => ((await touch(name)) === 0 ? true : undefined), { timeoutMs: 15_000 });
    figure('lifted on both nodes after', performance.now() - startedMs, 'ms');
    for (const { name } of cluster.nodes) await deletePod(`lifted-${name}`);
  });
});

describe('Proof 10: palisade uninstall leaves nothing behind on the nodes', () => {
  it('no pinned object, program, link or file', async () => {
    const ours = async (name: string): Promise<string> => {
      const node = cluster.nodes.find((candidate) => candidate.name === name);
      const script = `ls -d /sys/fs/bpf/palisade /var/lib/palisade/* /var/log/palisade/* 2>/dev/null
        bpftool prog show 2>/dev/null | grep -E 'name (eng|disp|noop|proc|cg|iter)_' ; bpftool link show 2>/dev/null | grep -E 'prog [0-9]' ; true`;
      return (await node?.run(['sh', '-c', script]))?.stdout ?? '';
    };
    for (const { name } of cluster.nodes) expect(await ours(name), `${name} before`).toContain('/sys/fs/bpf/palisade');
    const { stdout } = await runCommand([process.execPath, cli, 'uninstall', '--yes', '--kubeconfig', cluster.info.kubeconfigFile]);
    process.stdout.write(stdout);
    for (const { name } of cluster.nodes) expect((await ours(name)).trim(), `${name} after`).toBe('');
    expect(await kubectl.run(['get', 'daemonset', '-n', 'palisade-system', '-o', 'name', '--ignore-not-found'])).toBe('');
  });
});
