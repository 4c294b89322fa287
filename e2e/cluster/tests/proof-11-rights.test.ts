import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { cluster, kubectl } from './cluster-under-test.ts';
import { figure } from './figures.ts';
import { podsOf } from './pods.ts';

const namespace = 'palisade-system';
const hubName = 'palisade-hub.palisade-system.svc';

async function rightsOf(account: string): Promise<string[]> {
  const output = await kubectl.run([
    'auth',
    'can-i',
    '--list',
    '--no-headers',
    '-n',
    namespace,
    `--as=system:serviceaccount:${namespace}:${account}`,
    '--as-group=system:serviceaccounts',
    '--as-group=system:authenticated',
  ]);
  return output
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '')
    .toSorted();
}

/** Speaks to the hub as the agent of a node would, with the given token; how the hub ends it, or "welcome". */
function helloAs(token: string, ca: Buffer, node: string): Promise<string> {
  const hello = {
    t: 'hello',
    protocol: { min: 1, max: 1 },
    agent: 'proof',
    planFormats: [1],
    node,
    boot: 'proof',
    epochSeen: 0,
    set: null,
    kernel: { release: '6.1.0', version: '', arch: 'x86_64', build: '0'.repeat(64), lsm: [], preempt: 'unknown' },
    facts: {},
  };
  const options: ClientOptions & { readonly servername: string } = {
    ca,
    servername: hubName,
    headers: { authorization: `Bearer ${token}` },
  };
  const socket = new WebSocket(`wss://127.0.0.1:${cluster.info.ports.hub}/hub`, options);
  return new Promise((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify(hello)));
    socket.on('message', (data: Buffer) => {
      resolve(String(Reflect.get(JSON.parse(data.toString()), 't')));
      socket.close();
    });
    socket.on('unexpected-response', (_request, response) => resolve(`status ${response.statusCode ?? 0}`));
    socket.on('close', (code) => resolve(`closed ${code}`));
    socket.on('error', (error) => resolve(error.message));
  });
}

/** Names of the capabilities in a mask, by their numbers in the kernel's uapi. */
const capabilityNames = new Map([
  [0, 'CHOWN'],
  [2, 'DAC_READ_SEARCH'],
  [19, 'SYS_PTRACE'],
  [21, 'SYS_ADMIN'],
  [24, 'SYS_RESOURCE'],
  [34, 'SYSLOG'],
  [38, 'PERFMON'],
  [39, 'BPF'],
]);

function capabilitiesIn(mask: string): string[] {
  const bits = BigInt(`0x${mask}`);
  return Array.from({ length: 64 }, (_, bit) => bit).flatMap((bit) =>
    (bits >> BigInt(bit)) & 1n ? [capabilityNames.get(bit) ?? `#${bit}`] : [],
  );
}

describe("Proof 11: the agent's ServiceAccount is allowed nothing in the API", () => {
  beforeAll(() => kubectl.run(['create', 'serviceaccount', 'nobody', '-n', namespace]));
  afterAll(() => kubectl.run(['delete', 'serviceaccount', 'nobody', '-n', namespace]));

  it('that any account without a role is not allowed too', async () => {
    const agent = await rightsOf('palisade-agent');
    for (const line of agent) figure('everyone may', line);
    expect(agent).toEqual(await rightsOf('nobody'));
    const resources = agent.filter((line) => !line.startsWith('[/'));
    expect(resources.filter((line) => !line.startsWith('selfsubject'))).toEqual([]);
  });
});

describe('Proof 11: a token of node A cannot speak for node B at the hub', () => {
  it('nor can a token without a pod, or one for another audience', async () => {
    const pods = await podsOf(namespace);
    const [first, second] = cluster.nodes;
    const pod =
      pods.find((candidate) => candidate.spec.nodeName === first?.name && candidate.metadata.name.startsWith('palisade-agent'))?.metadata
        .name ?? '';
    const ca = await readFile(path.join(cluster.info.folder, 'hub-ca.crt'));
    const token = async (...flags: readonly string[]): Promise<string> =>
      (await kubectl.run(['create', 'token', 'palisade-agent', '-n', namespace, ...flags])).trim();
    const bound = await token('--audience=palisade-hub', '--bound-object-kind=Pod', `--bound-object-name=${pod}`);
    expect(await helloAs(bound, ca, second?.name ?? '')).not.toBe('welcome');
    expect(await helloAs(await token('--audience=palisade-hub'), ca, first?.name ?? '')).not.toBe('welcome');
    expect(await helloAs(await token(), ca, first?.name ?? '')).not.toBe('welcome');
    expect(await helloAs('nonsense', ca, first?.name ?? '')).not.toBe('welcome');
  });
});

describe("Proof 11: the loader's remaining capabilities", () => {
  it.each(['node-6-1', 'node-6-12'])('on %s are no more than the pod grants, with no_new_privs and a seccomp filter', async (name) => {
    const node = cluster.nodes.find((candidate) => candidate.name === name);
    const script = `for p in /proc/[0-9]*; do case "$(tr '\\0' ' ' < $p/cmdline 2>/dev/null)" in "/usr/bin/palisade-loader serve"*) cat $p/status;; esac; done`;
    const status = (await node?.run(['sh', '-c', script]))?.stdout ?? '';
    const field = (key: string): string => new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
    const kept = capabilitiesIn(field('CapEff'));
    figure(`${name}: kept`, kept.join(' '));
    expect(['BPF', 'PERFMON', 'SYSLOG', 'SYS_RESOURCE', 'SYS_ADMIN']).toEqual(expect.arrayContaining(kept));
    expect(field('NoNewPrivs')).toBe('1');
    expect(field('Seccomp')).toBe('2');
  });
});
