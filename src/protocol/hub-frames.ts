import { z } from 'zod';

/**
 * What agent and hub say to each other over the websocket `/hub` (control-plane 3.3): JSON text frames, checked on both ends. Plans,
 * catalogues and large desired sets are binary frames (`hub-binary.ts`). Unknown members are ignored, so that protocol N talks to N-1.
 *
 * Order: the agent says `hello`; the hub answers `welcome`, `pods` (full), `desired`; the agent pulls missing plans with `get` and
 * sends a `report`. After that either side speaks when it has something to say. The hub sends websocket pings; an agent that has seen
 * none for three heartbeats dials again.
 */
export const HUB_PROTOCOL_VERSION = 1;

/** Audience of the projected ServiceAccount token that agents (and webhooks) present as `Authorization: Bearer …`. */
export const HUB_AUDIENCE = 'palisade-hub';
export const HUB_PATH = '/hub';

/** Bounds of whole frames in bytes. What is larger closes the connection with `HUB_CLOSE.malformed`. */
export const HUB_LIMITS = {
  maxHelloBytes: 8 * 1024,
  /** Any text frame of an agent, and every binary frame but a catalogue that was asked for. */
  maxAgentFrameBytes: 256 * 1024,
  maxCatalogueBytes: 4 * 1024 * 1024,
  maxCatalogueUnpackedBytes: 32 * 1024 * 1024,
  /** Any frame of the hub: the agent's `maxPayload`. */
  maxHubFrameBytes: 4 * 1024 * 1024,
  maxPlanPackedBytes: 256 * 1024,
  maxPlanUnpackedBytes: 4 * 1024 * 1024,
  /** Digests in `get` that are not answered yet. */
  maxOpenGets: 16,
  /** Policies on one node. */
  maxEntries: 4096,
  maxPodsPerNode: 2048,
  /** Labels of one pod that the feed carries; further ones (by name) are left out and counted. */
  maxPodLabels: 256,
  maxPodContainers: 128,
  /** Inbound frames of one agent, per second. */
  maxFramesPerSecond: 50,
} as const;

/** Websocket close codes and what the agent does about them. */
export const HUB_CLOSE = {
  /** Hub goes down or hands over: dial again after `goaway.afterMs`. */
  goingAway: 1001,
  /** A frame that breaks the protocol, or too many of them: dial again with back-off. */
  malformed: 1008,
  /** The agent reads too slowly: dial again with back-off. */
  slow: 1013,
  /** Another connection of this node took over: do not dial again unless that one was not yours. */
  replaced: 4001,
  /** The token or the pod behind it is not valid any more: read the token again and dial at once; with back-off where that is refused. */
  unauthenticated: 4003,
  /** No common protocol version. */
  version: 4004,
} as const;

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const uid = z.string().min(1).max(64);
const count = z.int().min(0);
/** DNS subdomain at most; objects' and nodes' names. */
const objectName = z.string().min(1).max(253);
const word = z.string().min(1).max(64);

export const POLICY_STATES = ['loaded', 'degraded', 'loading', 'failed', 'fallback', 'excluded', 'unsupported'] as const;

/**
 * What a node says of one policy. `loaded`: as wished. `degraded`: runs with less (`reason` says what). `loading`: not decided yet.
 * `failed`: does not run. `fallback`: an older version runs (`runs`), the wanted one failed for `reason`. `excluded`: left out so that the
 * others could load. `unsupported`: this agent is too old for the plan.
 */
export type PolicyState = (typeof POLICY_STATES)[number];

// ---- agent → hub ----

export const kernelSchema = z.object({
  /** uname -r, -v, -m. */
  release: z.string().min(1).max(128),
  version: z.string().max(256),
  arch: z.string().min(1).max(32),
  /** `kernelBuildOf` (kernel-build.ts) of this kernel and these facts: equal builds have equal facts. */
  build: hex64,
  lsm: z.array(z.string().max(32)).max(32),
  preempt: z.enum(['none', 'voluntary', 'full', 'lazy', 'unknown']),
});
export type HubKernel = z.infer<typeof kernelSchema>;

export const factsSchema = z
  .record(z.string().min(1).max(64), z.union([z.boolean(), z.string().max(128)]))
  .refine((facts) => Object.keys(facts).length <= 128, 'at most 128 facts');

export const helloSchema = z.object({
  t: z.literal('hello'),
  /** Versions this agent speaks, both included. */
  protocol: z.object({ min: count, max: count }),
  /** Version of the agent's build, for people. */
  agent: z.string().max(64),
  planFormats: z.array(count).min(1).max(8),
  /** Must be the node of the token. */
  node: objectName,
  /** /proc/sys/kernel/random/boot_id. */
  boot: z.string().max(64),
  /** Highest epoch ever obeyed; 0 at first. */
  epochSeen: count,
  /** Digest of the desired set held on disk (`set-digest.ts`); null: none. */
  set: hex64.nullable(),
  kernel: kernelSchema,
  facts: factsSchema,
});
export type Hello = z.infer<typeof helloSchema>;

export const getSchema = z.object({ t: z.literal('get'), digests: z.array(hex64).min(1).max(HUB_LIMITS.maxOpenGets) });
export type Get = z.infer<typeof getSchema>;

/** A policy whose state on this node is not what `bind(plan, facts)` with an unknown catalogue predicts. */
export const rowSchema = z.object({
  uid,
  generation: count,
  /** Digest of the plan that runs now; null: none does. */
  runs: hex64.nullable(),
  /** Effective: `off` where nothing runs or the node suspended it. */
  mode: z.enum(['enforce', 'monitor', 'off']),
  state: z.enum(POLICY_STATES),
  /** A `LoadReason`; empty for `loaded` and `loading`. A name unknown to the hub counts as the node's fault. */
  reason: z.string().max(64),
  /** `kprobe:security_file_open`: the hook that decided. */
  hook: z.string().max(256).optional(),
  /** Attach methods really used, distinct, joined by `+`: `lsm`, `kprobe_multi+tracepoint`. */
  method: z.string().max(128).optional(),
  stage: z.string().max(32).optional(),
  errno: z.int().optional(),
  message: z.string().max(256).optional(),
  /** False: runs in enforce mode but cannot deny or kill here. Absent: it can, or was not asked to. */
  canEnforce: z.boolean().optional(),
});
export type Row = z.infer<typeof rowSchema>;

/**
 * "Set X is applied as `bind` predicts, except these rows." Sent after every change, and once after every `desired`.
 * `bound` is `boundDigest` (bound-digest.ts) over the policies that have no row. Where it differs from the hub's own prediction, the hub
 * asks with `explain`, and the agent answers with a report that has a row for every policy.
 */
export const reportSchema = z.object({
  t: z.literal('report'),
  /** Counts up within one connection. */
  seq: count,
  set: hex64,
  /** `applying`: rows are about what runs now, before the new set. */
  state: z.enum(['applied', 'applying']),
  bound: hex64,
  exceptions: z.array(rowSchema).max(HUB_LIMITS.maxEntries),
});
export type Report = z.infer<typeof reportSchema>;

/** `[uid, events, wouldEnforce, enforced, lost, msSinceLastMatch]`: what happened within the window; policies without any are left out. */
export const activityRowSchema = z.tuple([uid, count, count, count, count, count]);
export type ActivityRow = z.infer<typeof activityRowSchema>;

export const activitySchema = z.object({
  t: z.literal('activity'),
  /** Length of the window that ends now. */
  windowMs: count,
  rows: z.array(activityRowSchema).max(HUB_LIMITS.maxEntries),
});
export type Activity = z.infer<typeof activitySchema>;

/** Sent after `welcome`, and when something in it changes. */
export const healthSchema = z.object({
  t: z.literal('health'),
  loader: z.enum(['ok', 'restarting', 'down']),
  /** A `LoadReason` for which no single policy can be blamed, such as CacheUnwritable. */
  fault: word.optional(),
  /** Containers that started before their identity was known, since the agent started. */
  unprotectedStarts: count,
});
export type Health = z.infer<typeof healthSchema>;

/**
 * Answer to `welcome.want`. For `catalogue` a binary catalogue frame follows at once; for `catalogue-digest` this frame is all.
 * `digest` is `catalogueDigest` of its text (src/protocol/hub-binary.ts).
 */
export const catalogueNoticeSchema = z.object({ t: z.literal('catalogue'), build: hex64, digest: hex64 });
export type CatalogueNotice = z.infer<typeof catalogueNoticeSchema>;

/** Answer to `teardown`: what could not be removed from the kernel, for people; empty when all is gone. */
export const tornDownSchema = z.object({ t: z.literal('torndown'), left: z.array(z.string().max(256)).max(32) });
export type TornDown = z.infer<typeof tornDownSchema>;

export const agentFrameSchema = z.discriminatedUnion('t', [
  helloSchema,
  getSchema,
  reportSchema,
  activitySchema,
  healthSchema,
  catalogueNoticeSchema,
  tornDownSchema,
]);
export type AgentFrame = z.infer<typeof agentFrameSchema>;

// ---- hub → agent ----

export const welcomeSchema = z.object({
  t: z.literal('welcome'),
  protocol: count,
  /** Agents ignore frames of a lower epoch than the highest seen, unless they had no hub for 60 s. */
  epoch: count,
  planFormat: count,
  /** Pings come this often (± 20 %). */
  heartbeatMs: z.int().min(1),
  /** Agents spread what nobody waits for (activity) over this time. */
  reportJitterMs: count,
  /** Every this often an `activity` frame is due, if there is something to say. */
  activityMs: z.int().min(1),
  want: z.enum(['catalogue', 'catalogue-digest']).optional(),
});
export type Welcome = z.infer<typeof welcomeSchema>;

/** One policy that the node should run. */
export const entrySchema = z.object({
  uid,
  kind: z.enum(['TracingPolicy', 'TracingPolicyNamespaced']),
  /** Null for the cluster kind. */
  namespace: objectName.nullable(),
  name: objectName,
  generation: count,
  /** The plan. Null: hold, keep what runs for this uid (the hub does not know a good version). */
  digest: hex64.nullable(),
  mode: z.enum(['enforce', 'monitor']),
  /** Plan to run where the wanted one cannot be loaded; absent: the agent's own last loaded one. */
  fallback: hex64.optional(),
  /** Candidate that monitors beside the enforcing version. */
  shadow: hex64.optional(),
});
export type Entry = z.infer<typeof entrySchema>;

/**
 * The set of digest `set` is: the set of digest `base` (null: the empty one) without `remove`, with `upsert`. An agent that does not hold
 * `base`, or gets another digest, closes and says hello with `set: null`.
 */
export const desiredSchema = z.object({
  t: z.literal('desired'),
  epoch: count,
  base: hex64.nullable(),
  set: hex64,
  upsert: z.array(entrySchema).max(HUB_LIMITS.maxEntries),
  remove: z.array(uid).max(HUB_LIMITS.maxEntries),
});
export type Desired = z.infer<typeof desiredSchema>;

/** A plan that was asked for and that the hub does not have (any more): the next `desired` settles it. */
export const missingSchema = z.object({ t: z.literal('missing'), digests: z.array(hex64).max(HUB_LIMITS.maxOpenGets) });
export type Missing = z.infer<typeof missingSchema>;

export const podSchema = z.object({
  uid,
  /** The uid in the name of the pod's cgroup: that of the API, but for mirror pods of static ones. */
  cgroupUid: uid,
  ns: objectName,
  name: objectName,
  labels: z.record(z.string().max(317), z.string().max(63)),
  /** Kind and name of the workload behind the pod; null: a bare pod. */
  workload: z.tuple([word, objectName]).nullable(),
  /** The pod shares the node's pid or network namespace. */
  host: z.object({ pid: z.boolean(), net: z.boolean() }),
  /**
   * `n`: name; `id`: runtime's id without `containerd://`, once known; `image`: as the spec says; `started`: when that id began to run,
   * seconds since 1970, as the kubelet says. Init containers first.
   */
  containers: z
    .array(
      z.object({
        n: objectName,
        id: z.string().max(256).optional(),
        image: z.string().max(1024),
        started: count.max(253_402_300_799).optional(),
      }),
    )
    .max(HUB_LIMITS.maxPodContainers),
});
export type HubPod = z.infer<typeof podSchema>;

/** `full`: these are all pods of the node, forget others. Otherwise `put` adds or replaces by uid, and `gone` lists uids. */
export const podsSchema = z.object({
  t: z.literal('pods'),
  full: z.literal(true).optional(),
  put: z.array(podSchema).max(HUB_LIMITS.maxPodsPerNode),
  gone: z.array(uid).max(HUB_LIMITS.maxPodsPerNode),
});
export type Pods = z.infer<typeof podsSchema>;

/** The hub could not predict `bound`: send a report with a row for every policy. */
export const explainSchema = z.object({ t: z.literal('explain') });
export type Explain = z.infer<typeof explainSchema>;

/** Leave after so many milliseconds and dial again, `leader` first if given (`host:port`). */
export const goawaySchema = z.object({ t: z.literal('goaway'), afterMs: count, leader: z.string().max(256).optional() });
export type Goaway = z.infer<typeof goawaySchema>;

/** Remove everything from the kernel and forget the cached plans; answer `torndown`. */
export const teardownSchema = z.object({ t: z.literal('teardown'), epoch: count });
export type Teardown = z.infer<typeof teardownSchema>;

export const hubFrameSchema = z.discriminatedUnion('t', [
  welcomeSchema,
  desiredSchema,
  missingSchema,
  podsSchema,
  explainSchema,
  goawaySchema,
  teardownSchema,
]);
export type HubFrame = z.infer<typeof hubFrameSchema>;
