/** The loader's operations, typed. Answers are checked: what does not keep to the protocol is an error, not a guess. */
import { ABI_HASH, PAL_C_COUNT, PAL_H_COUNT, PAL_NS_COUNT } from '../../abi/layout.ts';
import { type Prototype, readPrototype } from '../../linker/prototype.ts';
import {
  FrameError,
  type LoaderFrame,
  textTlv,
  tlvText,
  tlvTexts,
  tlvU32,
  tlvU64,
  tlvValue,
  tlvValues,
  u32sTlv,
  u64Tlv,
} from '../../protocol/loader-frames.ts';
import type { FrameConnection } from './frame-connection.ts';
import type { LoaderRequest } from './generation-requests.ts';
import { LoaderUnavailableError } from './loader-error.ts';

export type LoaderHello = {
  /** `name=value`, as the loader said it; see `kernel-facts-reader.ts`. */
  readonly facts: readonly string[];
  /** 0: nothing is active. */
  readonly generation: number;
  /** The number that the next BEGIN must have: one more, unless a generation was rolled back. */
  readonly nextGeneration: number;
  /** Label of the adopted generation; null when nothing is active. */
  readonly label: Buffer | null;
  readonly boot: string;
  /** Number of the rings in this boot: with other rings sequence numbers begin anew. */
  readonly rings: number;
  readonly release: string;
  /** `NAME reason` of every capability that the loader kept. */
  readonly keptCapabilities: readonly string[];
  /** Inode numbers of pid 1's namespaces by PAL_NS_*; empty if the loader could not read them. */
  readonly hostNamespaces: readonly number[];
  readonly cpus: number;
  readonly adopted: boolean;
  /** What is attached, for a generation that was adopted. */
  readonly activeHooks: readonly ActiveHook[];
};

/** How a hook is attached now. */
export type ActiveHook = {
  readonly id: number;
  readonly name: string;
  /** Method text, `lsm:file_open`. */
  readonly method: string;
  readonly pinned: boolean;
  readonly usesDPath: boolean;
};

export type HookAnswer = {
  /** Method text. */
  readonly used: string;
  /** The verified program of this bank was kept. */
  readonly reused: boolean;
  readonly verifiedInstructions: number;
  readonly loadUs: number;
  readonly usesDPath: boolean;
  readonly pinned: boolean;
};

export type LoaderCatalogue = {
  readonly functions: ReadonlySet<string>;
  readonly lsmHooks: ReadonlySet<string>;
  readonly tracepoints: ReadonlySet<string>;
  readonly build: Buffer;
};

/** Sums over all CPUs since the counter was zeroed. */
export type LoaderCounters = {
  /** By policy number; values by PAL_C_*. */
  readonly policies: ReadonlyMap<number, readonly bigint[]>;
  /** By PAL_H_*. */
  readonly health: readonly bigint[];
  readonly recursionMisses: bigint;
};

export type LoaderClient = {
  hello(): Promise<LoaderHello>;
  catalogue(): Promise<LoaderCatalogue>;
  /** By query; null: the kernel has no such thing. */
  resolve(queries: readonly string[]): Promise<ReadonlyMap<string, Prototype | null>>;
  hook(request: LoaderRequest): Promise<HookAnswer>;
  /** Requests whose answer says nothing but that it was done. */
  send(request: LoaderRequest): Promise<void>;
  commit(request: LoaderRequest): Promise<{ readonly generation: number; readonly flipKtimeNs: bigint }>;
  /** How many of the executables were found. */
  exempt(paths: readonly string[]): Promise<number>;
  counters(): Promise<LoaderCounters>;
  zero(counters: readonly number[]): Promise<void>;
  /** How many exec records of running processes will come on the events connection. */
  iterate(): Promise<number>;
  /** How many pins were removed; nothing of ours is left in the kernel. */
  teardown(): Promise<number>;
};

/** Queries in one RESOLVE: bounds the answer. */
const QUERIES_PER_REQUEST = 64;
const COUNTER_ROW_BYTES = 8 + 8 * PAL_C_COUNT;

export function createLoaderClient(connection: FrameConnection): LoaderClient {
  /** Whatever cannot be read ends the connection: agent and loader do not understand each other. */
  async function ask<T>(request: LoaderRequest, read: (last: LoaderFrame, frames: readonly LoaderFrame[]) => T): Promise<T> {
    const frames = await connection.request(request);
    try {
      const last = frames.at(-1);
      if (last === undefined) throw new FrameError('an answer without frames');
      return read(last, frames);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      connection.close(message);
      throw new LoaderUnavailableError(`the loader's answer to ${request.op} cannot be read: ${message}`);
    }
  }

  return {
    hello: () => ask({ op: 'HELLO', tlvs: [u64Tlv('ABI', ABI_HASH)] }, readHello),
    catalogue: () => ask({ op: 'CATALOGUE', tlvs: [] }, (last, frames) => readCatalogue(last, frames)),
    async resolve(queries) {
      const prototypes = new Map<string, Prototype | null>();
      for (let at = 0; at < queries.length; at += QUERIES_PER_REQUEST) {
        const some = queries.slice(at, at + QUERIES_PER_REQUEST);
        const answers = await ask({ op: 'RESOLVE', tlvs: some.map((query) => textTlv('QUERY', query)) }, (_, frames) =>
          frames.flatMap((frame) => tlvTexts(frame, 'RESOLVED')).map((answer, i) => readPrototype(some[i] ?? '', answer)),
        );
        some.forEach((query, i) => prototypes.set(query, answers[i] ?? null));
      }
      return prototypes;
    },
    hook: (request) => ask(request, readHookAnswer),
    send: (request) => ask(request, () => undefined),
    commit: (request) =>
      ask(request, (last) => ({ generation: tlvU32(last, 'GENERATION') ?? 0, flipKtimeNs: tlvU64(last, 'FLIP_NS') ?? 0n })),
    exempt: (paths) => ask({ op: 'PROC', tlvs: paths.map((path) => textTlv('EXEMPT_PATH', path)) }, (last) => tlvU32(last, 'COUNT') ?? 0),
    counters: () => ask({ op: 'COUNTERS', tlvs: [] }, (last, frames) => readCounters(last, frames)),
    zero: (counters) => ask({ op: 'ZERO', tlvs: [u32sTlv('INDEX', counters)] }, () => undefined),
    iterate: () => ask({ op: 'ITERATE', tlvs: [] }, (last) => tlvU32(last, 'COUNT') ?? 0),
    teardown: () => ask({ op: 'TEARDOWN', tlvs: [] }, (last) => tlvU32(last, 'COUNT') ?? 0),
  };
}

function readHello(last: LoaderFrame, frames: readonly LoaderFrame[]): LoaderHello {
  const label = tlvValue(last, 'LABEL');
  const namespaces = tlvValue(last, 'HOST_NS');
  const generation = tlvU32(last, 'GENERATION') ?? 0;
  return {
    facts: frames.flatMap((frame) => tlvTexts(frame, 'FACT')),
    generation,
    nextGeneration: tlvU32(last, 'NEXT') ?? generation + 1,
    label: generation === 0 || label === undefined ? null : Buffer.from(label),
    boot: tlvText(last, 'BOOT') ?? '',
    rings: tlvU32(last, 'RINGS') ?? 0,
    release: tlvText(last, 'RELEASE') ?? '',
    keptCapabilities: frames.flatMap((frame) => tlvTexts(frame, 'KEPT_CAP')),
    hostNamespaces: namespaces === undefined ? [] : readU32s(namespaces, PAL_NS_COUNT),
    cpus: tlvU32(last, 'NCPU') ?? 1,
    adopted: tlvU32(last, 'ADOPTED') === 1,
    activeHooks: frames.flatMap((frame) => tlvTexts(frame, 'ACTIVE_HOOK')).map(readActiveHook),
  };
}

function readActiveHook(text: string): ActiveHook {
  const [id, name, method, pinned, dpath] = text.split(' ');
  if (id === undefined || !/^\d{1,6}$/.test(id) || name === undefined || method === undefined)
    throw new FrameError(`ACTIVE_HOOK is not "id name method pinned dpath"`);
  return { id: Number(id), name, method, pinned: pinned === '1', usesDPath: dpath === '1' };
}

function readHookAnswer(last: LoaderFrame): HookAnswer {
  const used = tlvText(last, 'USED');
  if (used === undefined) throw new FrameError('an answer to HOOK without USED');
  return {
    used,
    reused: tlvU32(last, 'REUSED') === 1,
    verifiedInstructions: tlvU32(last, 'VERIFIED') ?? 0,
    loadUs: tlvU32(last, 'LOAD_US') ?? 0,
    usesDPath: tlvU32(last, 'DPATH') === 1,
    pinned: tlvU32(last, 'PINNED') === 1,
  };
}

function readCatalogue(last: LoaderFrame, frames: readonly LoaderFrame[]): LoaderCatalogue {
  const names = (tag: 'NAMES_FUNCTION' | 'NAMES_LSM' | 'NAMES_TRACEPOINT'): ReadonlySet<string> =>
    new Set(
      frames
        .flatMap((frame) => tlvTexts(frame, tag))
        .flatMap((text) => text.split('\n'))
        .filter((name) => name !== ''),
    );
  return {
    functions: names('NAMES_FUNCTION'),
    lsmHooks: names('NAMES_LSM'),
    tracepoints: names('NAMES_TRACEPOINT'),
    build: Buffer.from(tlvValue(last, 'BUILD') ?? new Uint8Array(32)),
  };
}

function readCounters(last: LoaderFrame, frames: readonly LoaderFrame[]): LoaderCounters {
  const policies = new Map<number, readonly bigint[]>();
  for (const rows of frames.flatMap((frame) => tlvValues(frame, 'COUNTER'))) {
    if (rows.length % COUNTER_ROW_BYTES !== 0) throw new FrameError(`COUNTER has ${rows.length} bytes, no whole rows`);
    const view = new DataView(rows.buffer, rows.byteOffset, rows.length);
    for (let at = 0; at < rows.length; at += COUNTER_ROW_BYTES) {
      policies.set(view.getUint32(at, true), readU64s(rows.subarray(at + 8, at + COUNTER_ROW_BYTES), PAL_C_COUNT));
    }
  }
  const health = tlvValue(last, 'HEALTH');
  return { policies, health: health === undefined ? [] : readU64s(health, PAL_H_COUNT), recursionMisses: tlvU64(last, 'MISSES') ?? 0n };
}

function readU32s(bytes: Uint8Array, count: number): readonly number[] {
  if (bytes.length !== 4 * count) throw new FrameError(`${bytes.length} bytes where ${4 * count} are right`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => view.getUint32(4 * i, true));
}

function readU64s(bytes: Uint8Array, count: number): readonly bigint[] {
  if (bytes.length !== 8 * count) throw new FrameError(`${bytes.length} bytes where ${8 * count} are right`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => view.getBigUint64(8 * i, true));
}
