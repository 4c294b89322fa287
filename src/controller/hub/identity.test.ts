import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventually } from '../../kube/testing/eventually.ts';
import { type HubHarness, podItem, startHubHarness, tokenOf } from '../testing/hub-harness.ts';
import type { Timing } from '../timing.ts';

// Real sockets on a machine that may be busy with emulated ones.
vi.setConfig({ testTimeout: 30_000 });

const harnesses: HubHarness[] = [];

async function start(timing: Partial<Timing> = {}): Promise<HubHarness> {
  const harness = await startHubHarness(timing);
  harnesses.push(harness);
  return harness;
}

afterEach(() => {
  for (const harness of harnesses.splice(0)) {
    harness.stop();
  }
});

describe('who may speak for a node', () => {
  test('an agent with a token of its pod on its node is let in', async () => {
    const hub = await start();
    hub.addNode('a');
    const agent = await hub.dial('a');
    await eventually('welcome', () => agent.received.some((frame) => frame.t === 'welcome'));
    expect(hub.fleet.get('a')?.isConnected).toBe(true);
  });

  test('without a token, with a wrong one, or with one of another account nobody is', async () => {
    const hub = await start();
    hub.addNode('a');
    await expect(hub.dial('a', { token: 'garbage' })).rejects.toThrow('401');
    await expect(hub.dial('a', { token: tokenOf('default', { node: 'a', pod: 'agent-a' }) })).rejects.toThrow('403');
    await expect(hub.dial('a', { token: tokenOf('palisade-webhook') })).rejects.toThrow('403');
  });

  test('an authentic token that is not bound to a pod is refused', async () => {
    const hub = await start();
    hub.addNode('a');
    await expect(hub.dial('a', { token: tokenOf('palisade-agent') })).rejects.toThrow('403 the token is not bound to a pod on a node');
  });

  test('a token of node a cannot speak for node b', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.addNode('b');
    const agent = await hub.dial('b', { token: tokenOf('palisade-agent', { node: 'a', pod: 'agent-a' }) });
    await expect(agent.closed).resolves.toMatchObject({ code: 1008, reason: 'the token is for node a' });
    expect(hub.fleet.get('b')?.isConnected).toBe(false);
  });

  test('a pod that is not in the cache, runs elsewhere or is no agent is refused', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.agentPods.set('moved', podItem('moved', 'elsewhere', { hasAgentLabels: true }));
    hub.agentPods.set('other', podItem('other', 'a'));
    const refused = ['missing', 'moved', 'other'].map((pod) => hub.dial('a', { token: tokenOf('palisade-agent', { node: 'a', pod }) }));
    for (const outcome of await Promise.allSettled(refused)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('403') } });
    }
  });

  test('a pod that appears in the cache a moment after its agent dials is let in', async () => {
    const hub = await start();
    const dialled = hub.dial('a');
    await new Promise((resolve) => void setTimeout(resolve, 150));
    hub.addNode('a');
    await expect(dialled).resolves.toBeDefined();
  });

  test('a second connection of a node replaces the first', async () => {
    const hub = await start();
    hub.addNode('a');
    const first = await hub.dial('a');
    await hub.dial('a');
    await expect(first.closed).resolves.toMatchObject({ code: 4001 });
    await eventually('the second one', () => hub.fleet.get('a')?.isConnected === true);
  });

  test('a token is reviewed once and then remembered, and a live connection is reviewed again', async () => {
    const hub = await start({ reviewMs: 150 });
    hub.addNode('a');
    const agent = await hub.dial('a');
    await hub.dial('a');
    expect(hub.reviews).toHaveLength(1);
    hub.revoked.add(tokenOf('palisade-agent', { node: 'a', pod: 'agent-a' }));
    await agent.closed;
    await eventually('the end of the second connection', () => hub.fleet.get('a')?.isConnected === false);
  });

  test('a connection ends after its pod is gone', async () => {
    const hub = await start({ reviewMs: 100 });
    hub.addNode('a');
    const agent = await hub.dial('a');
    hub.agentPods.delete('agent-a');
    await expect(agent.closed).resolves.toMatchObject({ code: 4003 });
  });

  test('a connection ends as soon as the deletion of its pod is seen', async () => {
    const hub = await start();
    hub.addNode('a');
    const agent = await hub.dial('a');
    await eventually('the connection', () => hub.hub.isConnected('a'));
    hub.hub.podGone('uid-agent-a');
    await expect(agent.closed).resolves.toMatchObject({ code: 4003 });
  });

  test('before the caches are there nobody is let in, and the answer says when to come back', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.setReady('not-ready');
    await expect(hub.dial('a')).rejects.toThrow(/^503 .*Retry-After: 1\]$/);
  });

  test('an API server that is away is not asked by a whole fleet every second', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.loseApiServer();
    await expect(hub.dial('a')).rejects.toThrow(/^503 .*Retry-After: 10\]$/);
  });

  test('who is not let in for good is not told to come again', async () => {
    const hub = await start();
    hub.addNode('a');
    await expect(hub.dial('a', { token: 'garbage' })).rejects.toThrow(/^401 .*Retry-After: never\]$/);
  });
});
