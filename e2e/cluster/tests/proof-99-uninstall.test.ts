import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../host/command.ts';
import { waitUntil } from '../wait-until.ts';
import type { OpenNode } from '../cluster-info.ts';
import { cluster, kubectl } from './cluster-under-test.ts';
import { listingTool, loadedObjects } from './engine.ts';
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
    const files = async (node: OpenNode): Promise<string> =>
      (await node.run(['sh', '-c', 'ls -d /var/lib/palisade/* /var/log/palisade/* 2>/dev/null; true'])).stdout.trim();
    // With a policy in force there is most to remove.
    await applyPolicy({ name: 'in-force' }, denySpec());
    await untilReady({ name: 'in-force' });
    for (const node of cluster.nodes) {
      figure(`${node.name}: listed by`, await listingTool(node));
      const before = await loadedObjects(node);
      figure(`${node.name} before: programs`, `${before.programs.length} (${before.programs.join(' ')})`);
      figure(`${node.name} before: links`, `${before.links.length} (${before.links.join(' ')})`);
      figure(`${node.name} before: pins`, before.pins.length);
      for (const kind of ['programs', 'links', 'pins'] as const) expect(before[kind].length, `${node.name} ${kind}`).toBeGreaterThan(0);
      expect(before.programs).toEqual(expect.arrayContaining([expect.stringMatching(/^disp_/), expect.stringMatching(/^eng_/)]));
      expect(await files(node), `${node.name} before`).not.toBe('');
    }
    const { stdout } = await runCommand([process.execPath, cli, 'uninstall', '--yes', '--kubeconfig', cluster.info.kubeconfigFile]);
    process.stdout.write(stdout);
    for (const node of cluster.nodes) {
      // The kernel frees programs a moment after their last reference went.
      const after = await waitUntil(
        `the kernel of ${node.name} to let go`,
        async () => {
          const objects = await loadedObjects(node);
          if (objects.programs.length + objects.links.length === 0) return objects;
          throw new Error(JSON.stringify(objects));
        },
        { timeoutMs: 20_000, everyMs: 300 },
      );
      figure(`${node.name} after: programs, links, pins`, `${after.programs.length}, ${after.links.length}, ${after.pins.length}`);
      expect(after, node.name).toEqual({ programs: [], links: [], pins: [] });
      expect(await files(node), `${node.name} after`).toBe('');
    }
    expect(await kubectl.run(['get', 'daemonset', '-n', 'palisade-system', '-o', 'name', '--ignore-not-found'])).toBe('');
  });
});
