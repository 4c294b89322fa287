/**
 * What the CLI says to the agent of its own node over `/run/palisade/events.sock`: one line of JSON, answered by one line. After the
 * answer to `events` every event that fits follows, one JSON object a line.
 */
import { z } from 'zod';
import { rowSchema } from '../../protocol/hub-frames.ts';

/** See `EventFilter`. */
const eventFilterSchema = z.strictObject({
  pod: z.string().max(253).optional(),
  namespace: z.string().max(253).optional(),
  policy: z.string().max(253).optional(),
  node: z.string().max(253).optional(),
  since: z.string().max(64).optional(),
});

/** `name`, or `namespace/name` for the namespaced kind, or `*` for all. */
const policy = z.string().min(1).max(512);

export const agentRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('events'), filter: eventFilterSchema }),
  z.strictObject({ op: z.literal('status') }),
  z.strictObject({ op: z.literal('suspend'), policy }),
  z.strictObject({ op: z.literal('resume'), policy }),
  z.strictObject({ op: z.literal('purge') }),
]);
export type AgentRequest = z.infer<typeof agentRequestSchema>;

export const errorAnswerSchema = z.object({ error: z.string() });

/** Where the export file stood when the stream began: what lies before is in the file, what comes after is in the stream. */
export const eventsAnswerSchema = z.object({
  file: z.object({ path: z.string(), inode: z.string(), bytes: z.number(), backups: z.number() }).nullable(),
});
export type EventsAnswer = z.infer<typeof eventsAnswerSchema>;

export const policyStatusSchema = rowSchema.extend({
  kind: z.string(),
  namespace: z.string().nullable(),
  name: z.string(),
  hooks: z.array(z.object({ path: z.string(), name: z.string(), method: z.string(), notes: z.array(z.string()) })),
  counters: z.object({ events: z.string(), wouldEnforce: z.string(), enforced: z.string(), lost: z.string(), rateLimited: z.string() }),
});
export type PolicyStatus = z.infer<typeof policyStatusSchema>;

export const statusAnswerSchema = z.object({
  node: z.string(),
  kernel: z.string(),
  /** Of the linked set that is active in the kernel; 0: none. */
  generation: z.number(),
  hub: z.enum(['connected', 'disconnected', 'none']),
  loader: z.enum(['ok', 'restarting', 'down']),
  pods: z.number(),
  /** What the loader kept of its privileges, and why. */
  capabilities: z.array(z.string()),
  /** Faults of the node itself; empty when all is well. */
  faults: z.array(z.string()),
  policies: z.array(policyStatusSchema),
});
export type StatusAnswer = z.infer<typeof statusAnswerSchema>;

export const changedAnswerSchema = z.object({ changed: z.boolean() });
export const purgedAnswerSchema = z.object({ removed: z.number(), left: z.array(z.string()) });

/** What the socket asks of the agent. Rejections become `{error}`. */
export type AgentRequests = {
  status(): Promise<StatusAnswer>;
  suspend(policy: string): Promise<z.infer<typeof changedAnswerSchema>>;
  resume(policy: string): Promise<z.infer<typeof changedAnswerSchema>>;
  purge(): Promise<z.infer<typeof purgedAnswerSchema>>;
};
