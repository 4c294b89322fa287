/** A loader without a kernel: keeps what it is told, refuses what it is told to refuse. */
import {
  encodeFrame,
  FLAG_ANSWER,
  LOADER_OPS,
  LOADER_TAGS,
  type LoaderResult,
  type Tlv,
  u16Tlv,
  u32Tlv,
} from '../../../protocol/loader-frames.ts';
import type { LoaderRequest } from '../generation-requests.ts';
import type { HookAnswer, LoaderClient, LoaderHello } from '../loader-client.ts';
import { LoaderRefusal, LoaderUnavailableError } from '../loader-error.ts';

export type FakeLoader = LoaderClient & {
  /** Everything that was asked, in order. */
  readonly requests: LoaderRequest[];
  /** Called before a request is done; a result that is not ok is the answer. */
  refuse: (request: LoaderRequest) => Partial<LoaderResult> | undefined;
  /** Called after a request is done. */
  after: (request: LoaderRequest) => void;
  readonly state: {
    generation: number;
    /** Generation that was rolled back; 0: none. */
    spent: number;
    label: Buffer | null;
    pending: number | null;
    hooks: Map<number, string>;
    zeroed: number[];
    isAway: boolean;
  };
};

export function createFakeLoader(): FakeLoader {
  const requests: LoaderRequest[] = [];
  const state: FakeLoader['state'] = { generation: 0, spent: 0, label: null, pending: null, hooks: new Map(), zeroed: [], isAway: false };
  let named = new Map<number, string>();
  let pendingLabel: Buffer | null = null;

  async function perform(request: LoaderRequest): Promise<void> {
    await Promise.resolve();
    if (state.isAway) throw new LoaderUnavailableError('the loader is away');
    requests.push(request);
    const refusal =
      loader.refuse(request) ??
      (request.op === 'BEGIN' && u32Of(request, 'GENERATION') !== nextOf(state)
        ? { stage: 'parse' as const, reason: 'ResourceBusy' }
        : undefined);
    if (refusal !== undefined)
      throw new LoaderRefusal(request.op, {
        stage: 'load',
        errno: 22,
        reason: 'VerifierRejected',
        message: 'no',
        verifier: '',
        ...refusal,
      });
    if (request.op === 'BEGIN') {
      state.pending = u32Of(request, 'GENERATION');
      pendingLabel = bytesOf(request, 'LABEL');
      named = new Map();
    }
    if (request.op === 'HOOK') named.set(u32Of(request, 'HOOK'), textOf(request, 'METHOD'));
    if (request.op === 'SHARE') named.set(u32Of(request, 'HOOK'), state.hooks.get(u32Of(request, 'HOOK')) ?? '');
    if (request.op === 'ABORT') state.pending = null;
    if (request.op === 'COMMIT') {
      state.generation = state.pending ?? state.generation;
      state.spent = 0;
      state.label = pendingLabel;
      state.pending = null;
      state.hooks = named;
    }
    loader.after(request);
  }

  const loader: FakeLoader = {
    requests,
    state,
    refuse: () => undefined,
    after: () => undefined,
    async hello(): Promise<LoaderHello> {
      await perform({ op: 'HELLO', tlvs: [] });
      return helloOf(state);
    },
    catalogue: () => Promise.reject(new Error('a fake loader has no catalogue')),
    async resolve(queries) {
      await perform({ op: 'RESOLVE', tlvs: [] });
      return new Map(
        queries.map((query) => [query, { kind: 'function' as const, args: [{ index: 0, bytes: 8, signed: false, type: 'struct:file' }] }]),
      );
    },
    async hook(request): Promise<HookAnswer> {
      await perform(request);
      return { used: textOf(request, 'METHOD'), reused: false, verifiedInstructions: 1000, loadUs: 10, usesDPath: true, pinned: true };
    },
    send: (request) => perform(request),
    async commit(request) {
      await perform(request);
      return { generation: state.generation, flipKtimeNs: 1n };
    },
    exempt: (paths) => Promise.resolve(paths.length),
    counters: () => Promise.resolve({ policies: new Map(), health: [], recursionMisses: 0n }),
    async zero(counters) {
      await perform({ op: 'ZERO', tlvs: [] });
      state.zeroed.push(...counters);
    },
    iterate: () => Promise.resolve(0),
    teardown: () => Promise.resolve(0),
  };
  return loader;
}

function nextOf({ spent, generation }: FakeLoader['state']): number {
  return spent === 0 ? generation + 1 : spent + 2;
}

export function helloOf(state: FakeLoader['state']): LoaderHello {
  return {
    facts: [],
    generation: state.generation,
    nextGeneration: nextOf(state),
    label: state.label,
    boot: 'boot-1',
    rings: 1,
    release: '6.12.0-test',
    keptCapabilities: [],
    hostNamespaces: [],
    cpus: 2,
    adopted: false,
    activeHooks: [...state.hooks].map(([id, method]) => ({ id, name: `h${id}`, method, pinned: true, usesDPath: true })),
  };
}

/** An answer as it goes over the wire. */
export function encodeAnswer(op: keyof typeof LOADER_OPS, id: number, tlvs: readonly Tlv[], more = 0): Uint8Array {
  return encodeFrame({ op: LOADER_OPS[op], flags: FLAG_ANSWER | more, id, tlvs });
}

export const OK: readonly Tlv[] = [u16Tlv('STAGE', 0), u32Tlv('ERRNO', 0)];

export function bytesOf(request: LoaderRequest, tag: keyof typeof LOADER_TAGS): Buffer {
  return Buffer.from(request.tlvs.find((tlv) => tlv.tag === LOADER_TAGS[tag])?.value ?? new Uint8Array(0));
}

export function u32Of(request: LoaderRequest, tag: keyof typeof LOADER_TAGS): number {
  const bytes = bytesOf(request, tag);
  return bytes.length === 4 ? bytes.readUInt32LE(0) : 0;
}

export function textOf(request: LoaderRequest, tag: keyof typeof LOADER_TAGS): string {
  return bytesOf(request, tag).toString('utf8');
}
