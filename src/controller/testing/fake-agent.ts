import { WebSocket, type ClientOptions } from 'ws';
import { bind } from '../../policy/bind.ts';
import { digestOfPlanText } from '../../policy/digest.ts';
import type { KernelFacts } from '../../policy/kernel-facts.ts';
import type { Plan } from '../../policy/plan.ts';
import { type BoundPolicy, boundDigest } from '../../protocol/bound-digest.ts';
import { decodeHubBinary, encodeCatalogueFrame } from '../../protocol/hub-binary.ts';
import {
  type AgentFrame,
  desiredSchema,
  type Entry,
  type Hello,
  hubFrameSchema,
  type HubFrame,
  type HubPod,
  type Row,
} from '../../protocol/hub-frames.ts';
import { kernelBuildOf } from '../../protocol/kernel-build.ts';
import { setDigest } from '../../protocol/set-digest.ts';

export type FakeAgentOptions = {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
  readonly node: string;
  readonly release?: string;
  readonly facts?: Record<string, boolean | string>;
  readonly lsm?: readonly string[];
  /** Says what is special about a policy; none: it is loaded as predicted. */
  readonly rowOf?: (entry: Entry, plan: Plan | undefined) => Row | undefined;
  /** What is held from before. */
  readonly entries?: readonly Entry[];
};

/** An agent as far as the hub can tell: keeps its set, pulls plans, reports. Real sockets, no kernel. */
export type FakeAgent = {
  readonly entries: Map<string, Entry>;
  readonly plans: Map<string, string>;
  readonly pods: Map<string, HubPod>;
  readonly received: (HubFrame | { readonly t: 'plan'; readonly digest: string })[];
  /** Close code, once it is over. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(frame: AgentFrame | object): void;
  sendRaw(data: string | Buffer): void;
  report(state?: 'applied' | 'applying'): void;
  pause(): void;
  close(): void;
};

const RELEASE = '6.1.0-1-amd64';

export function fakeHello(options: Pick<FakeAgentOptions, 'node' | 'release' | 'facts' | 'lsm' | 'entries'>): Hello {
  const facts = options.facts ?? { btf: true, bpf_lsm: true, kprobe: true, kprobe_multi: true, cas: true };
  const kernel = {
    release: options.release ?? RELEASE,
    version: '#1 SMP',
    arch: 'x86_64',
    lsm: [...(options.lsm ?? ['lockdown', 'capability', 'bpf'])],
    preempt: 'voluntary' as const,
  };
  return {
    t: 'hello',
    protocol: { min: 1, max: 1 },
    agent: 'fake',
    planFormats: [1],
    node: options.node,
    boot: 'b',
    epochSeen: 0,
    set: options.entries === undefined ? null : setDigest(options.entries),
    kernel: { ...kernel, build: kernelBuildOf({ ...kernel, facts }) },
    facts,
  };
}

/** Resolves once the websocket is open; rejects with the status and body of the refusal. */
export function dialFakeAgent(options: FakeAgentOptions): Promise<FakeAgent> {
  const tls: ClientOptions & { readonly servername: string } = {
    ca: options.ca,
    servername: 'palisade-hub.palisade-system.svc',
    headers: { authorization: `Bearer ${options.token}` },
  };
  const socket = new WebSocket(`${options.url}/hub`, tls);
  const hello = fakeHello(options);
  const entries = new Map((options.entries ?? []).map((entry) => [entry.uid, entry]));
  const plans = new Map<string, string>();
  const pods = new Map<string, HubPod>();
  const received: FakeAgent['received'] = [];
  const closed = Promise.withResolvers<{ readonly code: number; readonly reason: string }>();
  const waitingFor = new Set<string>();
  let seq = 0;

  const send = (frame: object): void => socket.send(JSON.stringify(frame));
  const kernel: KernelFacts = { ...hello.kernel, facts: hello.facts, catalogue: null };
  const planOf = (entry: Entry): Plan | undefined => {
    const text = entry.digest === null ? undefined : plans.get(entry.digest);
    return text === undefined ? undefined : JSON.parse(text);
  };
  /** What ran when the hub could not say any more what should run. */
  const ran = new Map([...entries.values()].flatMap((entry) => (entry.digest === null ? [] : [[entry.uid, entry.digest] as const])));
  const heldRow = ({ uid, generation, mode, digest }: Entry): Row | undefined =>
    digest === null ? { uid, generation, runs: ran.get(uid) ?? null, mode, state: 'loading', reason: '' } : undefined;
  const report = (state: 'applied' | 'applying' = 'applied'): void => {
    const exceptions = [...entries.values()].flatMap((entry) => options.rowOf?.(entry, planOf(entry)) ?? heldRow(entry) ?? []);
    const explained = new Set(exceptions.map((row) => row.uid));
    const bound = [...entries.values()]
      .filter((entry) => !explained.has(entry.uid))
      .flatMap((entry): BoundPolicy[] => {
        const plan = planOf(entry);
        const hooks =
          plan === undefined
            ? []
            : bind(plan, kernel, entry.mode).map((hook) => ({ path: hook.path, method: hook.methods[0]?.method ?? '' }));
        return [{ uid: entry.uid, hooks }];
      });
    seq += 1;
    send({ t: 'report', seq, set: setDigest(entries.values()), state, bound: boundDigest(bound), exceptions });
  };
  const applied = (): void => {
    const missing = [...entries.values()].flatMap((entry) => (entry.digest === null || plans.has(entry.digest) ? [] : [entry.digest]));
    const wanted = [...new Set(missing)].filter((digest) => !waitingFor.has(digest)).slice(0, 16 - waitingFor.size);
    for (const digest of wanted) {
      waitingFor.add(digest);
    }
    if (wanted.length > 0) {
      send({ t: 'get', digests: wanted });
    }
    if (missing.length === 0) {
      report();
    }
  };
  const onFrame = (frame: HubFrame): void => {
    received.push(frame);
    if (frame.t === 'welcome' && frame.want !== undefined) {
      const text = JSON.stringify({
        functions: ['security_file_open', '__x64_sys_execve'],
        lsmHooks: ['file_open'],
        tracepoints: ['sched/sched_process_exec'],
      });
      send({ t: 'catalogue', build: hello.kernel.build, digest: digestOfPlanText(text) });
      if (frame.want === 'catalogue') {
        socket.send(encodeCatalogueFrame(hello.kernel.build, text));
      }
      send({ t: 'health', loader: 'ok', unprotectedStarts: 0 });
    } else if (frame.t === 'pods') {
      if (frame.full === true) {
        pods.clear();
      }
      for (const pod of frame.put) {
        pods.set(pod.uid, pod);
      }
      for (const uid of frame.gone) {
        pods.delete(uid);
      }
    } else if (frame.t === 'desired') {
      if (frame.base === null) {
        entries.clear();
      } else if (frame.base !== setDigest(entries.values())) {
        throw new Error(`a difference from ${frame.base}, which is not held`);
      }
      for (const uid of frame.remove) {
        entries.delete(uid);
      }
      for (const entry of frame.upsert) {
        const before = entries.get(entry.uid)?.digest ?? null;
        if (before !== null) {
          ran.set(entry.uid, before);
        }
        entries.set(entry.uid, entry);
      }
      if (setDigest(entries.values()) !== frame.set) {
        throw new Error(`the set is not ${frame.set} after the difference`);
      }
      applied();
    } else if (frame.t === 'teardown') {
      entries.clear();
      send({ t: 'torndown', left: [] });
    }
  };

  socket.on('message', (data, isBinary) => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    if (!isBinary) {
      onFrame(hubFrameSchema.parse(JSON.parse(bytes.toString('utf8'))));
      return;
    }
    const frame = decodeHubBinary(bytes);
    if (frame.kind === 'desired') {
      onFrame(desiredSchema.parse(JSON.parse(frame.text)));
    } else if (frame.kind === 'plan') {
      if (digestOfPlanText(frame.text) !== frame.digest) {
        throw new Error('a plan with another digest than its name');
      }
      received.push({ t: 'plan', digest: frame.digest });
      plans.set(frame.digest, frame.text);
      waitingFor.delete(frame.digest);
      applied();
    }
  });
  socket.on('close', (code, reason) => closed.resolve({ code, reason: reason.toString('utf8') }));

  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      response.on('end', () =>
        reject(new Error(`${response.statusCode} ${body.trim()} [Retry-After: ${response.headers['retry-after'] ?? 'never'}]`)),
      );
    });
    socket.on('open', () => {
      send(hello);
      resolve({
        entries,
        plans,
        pods,
        received,
        closed: closed.promise,
        send,
        sendRaw: (data) => socket.send(data),
        report,
        pause: () => socket.pause(),
        close: () => socket.close(),
      });
    });
  });
}
