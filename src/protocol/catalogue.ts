/**
 * What the controller's hub tells a webhook about the fleet's kernels, over the websocket `/catalogue` (control-plane 4.6).
 *
 *   webhook → hub   subscribe                        once, right after the upgrade
 *   hub → webhook   welcome                          once
 *                   build, names (binary)            for each kernel build; names only of builds that the webhook has not got
 *                   nodes {full: true …}             the first of them drops what was known; long lists come in several frames
 *                   ready                            all of the above was sent: from now on the webhook may refuse
 *                   build, names, nodes, gone        as things change
 *                   alive                            every ALIVE_INTERVAL_MS, so that silence is noticed and facts do not age
 *
 * Authentication is the hub's: `Authorization: Bearer` with a projected token of audience `palisade-hub`, of the webhook's ServiceAccount.
 * Anything malformed closes the connection with code 1008; the other side dials again with a growing delay.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';

export const CATALOGUE_PROTOCOL = 1;

/** Longest text frame, bytes. Senders split lists of nodes so that it holds. */
export const MAX_CATALOGUE_FRAME_BYTES = 1 << 20;
/** Longest binary frame: the build's digest and the packed names of one kernel. */
export const MAX_NAMES_FRAME_BYTES = 4 << 20;
/** Unpacked, names of one kernel are at most this long; 130,000 names are 1.8 MB. */
export const MAX_NAMES_BYTES = 32 << 20;
export const MAX_NAMES = 1_000_000;
/** Distinct kernel builds that are kept; further ones are left out, counted, and their nodes have `build: null`. */
export const MAX_BUILDS = 64;
export const MAX_NODES_PER_FRAME = 250;
export const ALIVE_INTERVAL_MS = 20_000;

const build = z.string().regex(/^[0-9a-f]{64}$/);
const nodeName = z.string().min(1).max(253);

/** Webhook → hub: which builds' names it holds already (from before a reconnect). */
export const subscribeSchema = z.strictObject({
  t: z.literal('subscribe'),
  protocol: z.strictObject({ min: z.int().min(1), max: z.int().min(1) }),
  have: z.array(build).max(MAX_BUILDS),
});

export const welcomeSchema = z.object({ t: z.literal('welcome'), protocol: z.int().min(1) });

/** One kernel build: equal for all nodes that run the same kernel with the same modules and settings. */
export const buildSchema = z.object({
  t: z.literal('build'),
  build,
  release: z.string().min(1).max(128),
  arch: z.string().min(1).max(32),
  lsm: z.array(z.string().max(32)).max(32),
  preempt: z.enum(['none', 'voluntary', 'full', 'lazy', 'unknown']),
  facts: z.record(z.string().max(64), z.union([z.boolean(), z.string().max(256)])),
});

/** A node that has an agent pod. */
export const catalogueNodeSchema = z.object({
  name: nodeName,
  /** The Node object's labels: nodeSelectors are matched against them. */
  labels: z.record(z.string().max(320), z.string().max(63)),
  /** Which kernel it runs; null while its agent has never said hello to this hub, or the build is beyond MAX_BUILDS. */
  build: build.nullable(),
  /** 0 while the node's agent is connected, else milliseconds since it was, at the time of sending. */
  silentMs: z.int().min(0),
});

export const nodesSchema = z.object({
  t: z.literal('nodes'),
  /** True on the first frame after a connect: forget all nodes that were known. */
  full: z.boolean().default(false),
  put: z.array(catalogueNodeSchema).max(MAX_NODES_PER_FRAME),
  gone: z.array(nodeName).max(100_000).default([]),
});

/** A build that no node runs any more. */
export const goneSchema = z.object({ t: z.literal('gone'), build });
export const readySchema = z.object({ t: z.literal('ready') });
export const aliveSchema = z.object({ t: z.literal('alive') });

export const catalogueFrameSchema = z.discriminatedUnion('t', [
  welcomeSchema,
  buildSchema,
  nodesSchema,
  goneSchema,
  readySchema,
  aliveSchema,
]);

export type SubscribeFrame = z.infer<typeof subscribeSchema>;
export type KernelBuildFrame = z.infer<typeof buildSchema>;
export type CatalogueNode = z.infer<typeof catalogueNodeSchema>;
/** Hub → webhook. `z.input`, so that senders may leave out what has a default. */
export type CatalogueFrame = z.input<typeof catalogueFrameSchema>;

/** Names that exist in one kernel; see `KernelCatalogue` in src/policy/kernel-facts.ts. */
export type KernelNames = {
  readonly functions: readonly string[];
  /** Without the prefix `bpf_lsm_`. */
  readonly lsmHooks: readonly string[];
  /** `subsystem/event`. */
  readonly tracepoints: readonly string[];
};

const name = z.string().min(1).max(512);
const kernelNamesSchema = z.object({
  functions: z.array(name).max(MAX_NAMES),
  lsmHooks: z.array(name).max(10_000),
  tracepoints: z.array(name).max(100_000),
});

/** The names in an agent's text. Throws on what webhooks would refuse: they would end their connection, again and again. */
export function readKernelNames(text: string): KernelNames {
  return kernelNamesSchema.parse(JSON.parse(text));
}

/** Names as the hub sends them to webhooks, behind the build's digest: zstd of JSON. */
export function packKernelNames(names: KernelNames): Buffer {
  const { functions, lsmHooks, tracepoints } = names;
  return zstdCompressSync(Buffer.from(JSON.stringify({ functions, lsmHooks, tracepoints })));
}

/** Throws when the bytes are not what `packKernelNames` makes, or unpack to more than MAX_NAMES_BYTES. */
export function unpackKernelNames(packed: Uint8Array): KernelNames {
  return readKernelNames(zstdDecompressSync(packed, { maxOutputLength: MAX_NAMES_BYTES }).toString('utf8'));
}

const BUILD_BYTES = 32;

/** The binary frame of hub → webhook: 32 bytes of the build's digest, then the packed names. */
export function encodeNamesFrame(buildDigest: string, packed: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(buildDigest, 'hex'), packed]);
}

export type NamesFrame = { readonly build: string; readonly names: KernelNames };

export function decodeNamesFrame(frame: Uint8Array): NamesFrame {
  if (frame.length <= BUILD_BYTES || frame.length > MAX_NAMES_FRAME_BYTES) {
    throw new RangeError(`a frame of kernel names has ${frame.length} bytes; ${BUILD_BYTES + 1} to ${MAX_NAMES_FRAME_BYTES} are right`);
  }
  return {
    build: Buffer.from(frame.subarray(0, BUILD_BYTES)).toString('hex'),
    names: unpackKernelNames(frame.subarray(BUILD_BYTES)),
  };
}
