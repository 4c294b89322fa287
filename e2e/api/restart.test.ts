import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { denies, NODE_NAMES, startFakeFleet, type FakeFleet } from './fake-fleet.ts';

/** What an update waits for when the controller is killed (docs/hub.md, "After a restart"), without the redial of real agents. */
let fleet: FakeFleet;

/** `--unreachable` of the fake fleet's controller: until then a controller that has just started waits for agents. */
const UNREACHABLE_MS = 18_000;

beforeAll(async () => {
  fleet = await startFakeFleet();
  await fleet.connectAll();
}, 300_000);

afterAll(async () => {
  await fleet?.stop();
});

async function killController(): Promise<void> {
  process.kill(fleet.controller.pid() ?? 0, 'SIGKILL');
  await Promise.all([...fleet.agents.values()].map((agent) => agent.closed));
}

describe('after the controller was killed', () => {
  test('an update made meanwhile is ready as soon as the agents are back, three times of three', async () => {
    await fleet.policies.create('kept', denies('/etc/0'));
    await fleet.untilStatus('kept', 'True/Loaded', 1);
    for (let round = 1; round <= 3; round += 1) {
      const startMs = performance.now();
      const since = (): number => Math.round(performance.now() - startMs);
      await killController();
      const { metadata } = await fleet.policies.edit('kept', denies(`/etc/${round}`));
      await fleet.untilReady();
      const servesMs = since();
      await fleet.connectAll();
      const connectedMs = since();
      await fleet.untilStatus('kept', 'True/Loaded', metadata.generation);
      process.stdout.write(
        `    · killed; serves after ${servesMs} ms, both agents are back at ${connectedMs} ms, Ready at ${since()} ms\n`,
      );
    }
    await fleet.policies.remove('kept');
  });

  test('a policy of one node does not wait for the agent of another', async () => {
    const onlyA = { nodeSelector: { matchLabels: { pool: NODE_NAMES[0] } } };
    await fleet.policies.create('only-a', { ...denies('/etc/a'), ...onlyA });
    await fleet.untilStatus('only-a', 'True/Loaded', 1);
    await killController();
    const { metadata } = await fleet.policies.edit('only-a', { ...denies('/etc/b'), ...onlyA });
    const startMs = performance.now();
    await fleet.connect(NODE_NAMES[0]);
    await fleet.untilStatus('only-a', 'True/Loaded', metadata.generation);
    const tookMs = Math.round(performance.now() - startMs);
    process.stdout.write(`    · ready after ${tookMs} ms, while ${NODE_NAMES[1]} is away\n`);
    expect(await fleet.metric('palisade_coverage_ratio')).toBe(0.5);
    expect(tookMs).toBeLessThan(UNREACHABLE_MS);
    await fleet.connectAll();
    await fleet.policies.remove('only-a');
  });
});
