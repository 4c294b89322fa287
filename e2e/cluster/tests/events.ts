import * as z from 'zod';
import { waitUntil } from '../wait-until.ts';
import { cluster } from './cluster-under-test.ts';
import type { OpenNode } from '../cluster-info.ts';

const processSchema = z.looseObject({
  exec_id: z.string().optional(),
  parent_exec_id: z.string().optional(),
  pid: z.number().optional(),
  uid: z.number().optional(),
  binary: z.string().optional(),
  arguments: z.string().optional(),
  flags: z.string().optional(),
  pod: z
    .looseObject({
      namespace: z.string(),
      name: z.string(),
      container: z.looseObject({ name: z.string().optional(), image: z.looseObject({ name: z.string() }).optional() }).optional(),
    })
    .optional(),
});
const hookSchema = z.looseObject({
  process: processSchema,
  parent: processSchema.optional(),
  function_name: z.string().optional(),
  args: z.array(z.looseObject({})).optional(),
  action: z.string().optional(),
  policy_name: z.string().optional(),
});
const lifeSchema = z.looseObject({
  process: processSchema,
  parent: processSchema.optional(),
  signal: z.string().optional(),
  status: z.number().optional(),
});
const eventSchema = z.looseObject({
  process_exec: lifeSchema.optional(),
  process_exit: lifeSchema.optional(),
  process_kprobe: hookSchema.optional(),
  process_lsm: hookSchema.optional(),
  process_tracepoint: hookSchema.optional(),
  node_name: z.string().optional(),
  time: z.string().optional(),
});

/** One line of the NDJSON file: what the tests look at, and everything else as it is. */
export type EventLine = z.infer<typeof eventSchema>;
export type HookEvent = z.infer<typeof hookSchema>;

const eventsFile = '/var/log/palisade/events.log';

/** The lines that a node's agent has written, its rotated files first, through a filter of the node's shell. */
async function linesOf(node: OpenNode, filter: string): Promise<string> {
  const files = `ls -tr ${eventsFile} ${eventsFile}.[0-9]* 2>/dev/null`;
  return (await node.run(['sh', '-c', `${files} | while read -r file; do cat "$file"; done | ${filter}`])).stdout;
}

/** Events of a policy in a node's files. */
export async function countEventsOf(node: OpenNode, policy: string): Promise<number> {
  return Number(await linesOf(node, `grep -c '"policy_name":"${policy}"'`));
}

const lossSchema = z.looseObject({ palisade_loss: z.looseObject({ reason: z.string(), count: z.string() }) });

/** Records that the loss lines in a node's files tell of, by their reason. */
export async function lossesOf(node: OpenNode): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>();
  for (const line of (await linesOf(node, 'grep \'^{"palisade_loss"\'')).split('\n').filter((text) => text !== '')) {
    const { reason, count } = lossSchema.parse(JSON.parse(line)).palisade_loss;
    sums.set(reason, (sums.get(reason) ?? 0) + Number(count));
  }
  return sums;
}

/** All events that a node's agent has written. */
export async function eventsOf(node: OpenNode): Promise<EventLine[]> {
  const stdout = await linesOf(node, 'cat');
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [eventSchema.parse(JSON.parse(line))]));
}

/** The hook's part of an event, of whatever kind. */
export function hookOf(event: EventLine): HookEvent | undefined {
  return event.process_kprobe ?? event.process_lsm ?? event.process_tracepoint;
}

/** Waits for an event that fits, on any node. */
export async function untilEvent(what: string, fits: (event: EventLine) => boolean, timeoutMs = 20_000): Promise<EventLine> {
  return waitUntil(
    `an event: ${what}`,
    async () => {
      for (const node of cluster.nodes) {
        const found = (await eventsOf(node)).find((event) => fits(event));
        if (found !== undefined) return found;
      }
      return undefined;
    },
    { timeoutMs, everyMs: 300 },
  );
}
