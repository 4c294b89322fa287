import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import * as z from 'zod';
import type { OpenNode } from '../cluster-info.ts';
import { waitUntil } from '../wait-until.ts';
import { cluster, kubectl, nodeNamed } from './cluster-under-test.ts';
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

/** `NAME reason` of every capability that the loader of a node has kept, as it told its agent. */
async function keptWithReason(node: string): Promise<readonly string[]> {
  const pod = (await podsOf(namespace)).find((candidate) => candidate.spec.nodeName === node)?.metadata.name ?? '';
  const log = await kubectl.run(['logs', '-n', namespace, pod, '-c', 'agent']);
  const told = log.split('\n').findLast((line) => line.includes('"The loader answers"'));
  return z.looseObject({ kept: z.array(z.string()) }).parse(JSON.parse(told ?? '{}')).kept;
}

/** What comes of making sockets in the loader that runs on a node: its test build tries when it finds a file. */
async function socketsIn(node: OpenNode): Promise<ReadonlyMap<string, string>> {
  const folder = '/var/lib/palisade/loader';
  await node.run(['sh', '-c', `rm -f ${folder}/sockets; : > ${folder}/try-sockets`]);
  const text = await waitUntil(
    'the loader to have tried',
    async () => {
      const { stdout } = await node.run(['sh', '-c', `cat ${folder}/sockets 2>/dev/null; rm -f ${folder}/sockets`]);
      return stdout === '' ? undefined : stdout;
    },
    { timeoutMs: 15_000, everyMs: 300 },
  );
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']),
  );
}

describe("Proof 11: the loader's remaining capabilities", () => {
  it.each(['node-6-1', 'node-6-12'])('on %s each have a reason that the loader gives', async (name) => {
    const kept = await keptWithReason(name);
    for (const line of kept) figure(`${name}: kept`, line);
    expect(kept.length).toBeGreaterThan(0);
    for (const line of kept) expect(line).toMatch(/^[A-Z_]+ \S.{10,}$/);
  });

  it.each(['node-6-1', 'node-6-12'])('on %s no socket but AF_UNIX can be made in it', async (name) => {
    const sockets = await socketsIn(nodeNamed(name));
    figure(`${name}: sockets in the loader`, [...sockets].map(([family, result]) => `${family} ${result}`).join(', '));
    expect(Object.fromEntries(sockets)).toEqual({
      AF_UNIX: 'made',
      AF_INET: 'EACCES',
      AF_INET6: 'EACCES',
      AF_NETLINK: 'EACCES',
      AF_PACKET: 'EACCES',
    });
  });

  it.each(['node-6-1', 'node-6-12'])('on %s are no more than the pod grants, with no_new_privs and a seccomp filter', async (name) => {
    const node = nodeNamed(name);
    const script = `for p in /proc/[0-9]*; do case "$(tr '\\0' ' ' < $p/cmdline 2>/dev/null)" in "/usr/bin/palisade-loader serve"*) cat $p/task/*/status;; esac; done`;
    const { stdout: status } = await node.run(['sh', '-c', script]);
    const fields = (key: string): readonly string[] =>
      [...status.matchAll(new RegExp(`^${key}:\\s*(\\S+)`, 'gm'))].map((match) => match[1] ?? '');
    const permitted = new Set(fields('CapPrm').flatMap((mask) => capabilitiesIn(mask)));
    const effective = new Set(fields('CapEff').flatMap((mask) => capabilitiesIn(mask)));
    figure(`${name}: permitted in ${fields('Pid').length} threads`, [...permitted].join(' '));
    figure(`${name}: of them in effect`, [...effective].join(' '));
    expect(['BPF', 'PERFMON', 'SYSLOG', 'SYS_RESOURCE', 'SYS_ADMIN']).toEqual(expect.arrayContaining([...permitted]));
    const named = new Set((await keptWithReason(name)).map((line) => line.split(' ')[0] ?? ''));
    expect(permitted, 'what the kernel says is what the loader says').toEqual(named);
    expect(new Set(fields('NoNewPrivs'))).toEqual(new Set(['1']));
    expect(new Set(fields('Seccomp'))).toEqual(new Set(['2']));
  });
});
