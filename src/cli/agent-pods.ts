import { WebSocket, type ClientOptions } from 'ws';
import type { ApiServerAccess } from '../kube/credentials.ts';
import type { KubeClient } from '../kube/client.ts';
import { PODS } from '../kube/resource-type.ts';
import { z } from 'zod';

/** The agent's pod on one node. */
export type AgentPod = { readonly namespace: string; readonly name: string; readonly node: string; readonly isRunning: boolean };

const AGENT_LABELS = 'app.kubernetes.io/name=palisade,app.kubernetes.io/component=agent';
const AGENT_CONTAINER = 'agent';
/** How the image starts the CLI. */
const CLI_IN_IMAGE = ['/usr/bin/node', '/app/dist/src/cli/main.js'];

const podSchema = z.object({
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ phase: z.string().optional() }).optional(),
});

export async function listAgentPods(client: KubeClient, namespace: string): Promise<AgentPod[]> {
  const page = await client.list(PODS, { namespace, labelSelector: AGENT_LABELS });
  return page.items
    .map((item) => {
      const pod = podSchema.parse(item);
      return { namespace, name: item.metadata.name, node: pod.spec.nodeName ?? '', isRunning: pod.status?.phase === 'Running' };
    })
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

/** The remote end of one command. `code` is that of the command; null when the connection ended before it. */
export type ExecEnd = { readonly code: number | null; readonly message: string; readonly stderr: string };

/** Takes output as it comes; after a promise no more is read until it is settled. */
export type OutputHandler = (chunk: Buffer) => Promise<void> | void;

const MAX_STDERR_CHARS = 4096;
const CHANNEL_STDOUT = 1;
const CHANNEL_STDERR = 2;
const CHANNEL_STATUS = 3;

const statusSchema = z.object({
  status: z.string(),
  message: z.string().optional(),
  details: z.object({ causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional() })).optional() }).optional(),
});

/**
 * Runs `palisade ARGS…` in an agent's container (subresource `pods/exec`, websocket protocol v5) and hands out its standard output as it
 * comes. Ends with the command, the connection or the signal; never rejects.
 */
export async function execInAgent(options: {
  readonly access: ApiServerAccess;
  readonly pod: AgentPod;
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  readonly connectTimeoutMs: number;
  readonly onOutput: OutputHandler;
}): Promise<ExecEnd> {
  const { access, pod, signal } = options;
  const url = new URL(access.url);
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}/exec`;
  url.search = new URLSearchParams([
    ['container', AGENT_CONTAINER],
    ['stdout', 'true'],
    ['stderr', 'true'],
    ...[...CLI_IN_IMAGE, ...options.args].map((word): [string, string] => ['command', word]),
  ]).toString();
  const settings: ClientOptions & { servername?: string } = {
    ...access.tls,
    headers: { ...(await access.headers()) },
    handshakeTimeout: options.connectTimeoutMs,
    maxPayload: 16 << 20,
    perMessageDeflate: false,
  };
  const socket = new WebSocket(url, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], settings);
  return await new Promise<ExecEnd>((resolve) => {
    let stderr = '';
    let end: ExecEnd | null = null;
    const stop = (): void => socket.terminate();
    signal.addEventListener('abort', stop, { once: true });
    const hand = (output: Buffer): void => {
      const room = options.onOutput(output);
      if (room === undefined) return;
      socket.pause();
      void room.finally(() => socket.resume());
    };
    socket.on('message', (data) => {
      const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
      const body = bytes.subarray(1);
      if (bytes[0] === CHANNEL_STDOUT) hand(body);
      else if (bytes[0] === CHANNEL_STDERR) stderr = `${stderr}${body.toString('utf8')}`.slice(-MAX_STDERR_CHARS);
      else if (bytes[0] === CHANNEL_STATUS) end = readStatus(body.toString('utf8'), stderr);
    });
    socket.on('error', (error) => {
      end ??= { code: null, message: error.message, stderr };
    });
    socket.on('close', (_code, reason) => {
      signal.removeEventListener('abort', stop);
      resolve(end ?? { code: null, message: reason.toString('utf8') || 'the connection ended', stderr });
    });
  });
}

function readStatus(text: string, stderr: string): ExecEnd {
  const parsed = statusSchema.safeParse(JSON.parse(text));
  if (!parsed.success) return { code: null, message: 'the API server ended the command without a status', stderr };
  if (parsed.data.status === 'Success') return { code: 0, message: '', stderr };
  const exit = parsed.data.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  return { code: exit === undefined ? null : Number(exit), message: parsed.data.message ?? '', stderr };
}
