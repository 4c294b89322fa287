/** Events of all nodes, by running `palisade events --local` in every agent's pod. */
import type { AgentEvent } from '../nodeagent/events/event.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { AgentPod, ExecEnd, OutputHandler } from './agent-pods.ts';
import { parseEvent } from './event-history.ts';
import { LineSplitter } from './line-splitter.ts';
import { LiveMerge, mergeByTime } from './merge-events.ts';

export type FleetEventsOptions = {
  readonly pods: readonly AgentPod[];
  /** Runs the command in the pod until it or the signal ends; never rejects. */
  readonly run: (pod: AgentPod, onOutput: OutputHandler, signal: AbortSignal) => Promise<ExecEnd>;
  readonly follow: 'until the end' | 'for ever';
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly onEvent: (event: AgentEvent) => Promise<void>;
  /** A node whose events are missing, all or from some time on, with the reason. */
  readonly onMissing: (node: string, reason: string) => void;
};

/** How long an event may be overtaken by an older one of another node. */
const HOLD_MS = 700;
const RELEASE_MS = 100;
/** A node that says nothing for so long does not hold back the others any more: its agent reads its whole history in a few seconds. */
export const IDLE_MS = 30_000;
/** Events of one node that wait here for those of others, or for whoever reads ours; the rest stays on the node until there is room. */
export const MAX_WAITING = 512;

export async function fleetEvents(options: FleetEventsOptions): Promise<void> {
  if (options.follow === 'until the end') {
    const sources = options.pods.map((pod) => {
      const stopper = new AbortController();
      return {
        events: eventsOf(pod, options, AbortSignal.any([options.signal, stopper.signal])),
        onGivenUp: () => {
          stopper.abort();
          options.onMissing(pod.node, `it said nothing for ${IDLE_MS / 1000} s; what it had not sent by then is left out`);
        },
      };
    });
    for await (const event of mergeByTime(sources, { clock: options.clock, idleMs: IDLE_MS })) await options.onEvent(event);
    return;
  }
  let writing = Promise.resolve();
  let unwritten = 0;
  const merge = new LiveMerge({
    holdMs: HOLD_MS,
    emit: (event) => {
      unwritten += 1;
      writing = writing.then(() => options.onEvent(event)).finally(() => (unwritten -= 1));
    },
  });
  const timer = setInterval(() => merge.release(options.clock.monotonicMs()), RELEASE_MS);
  try {
    await Promise.all(
      options.pods.map(async (pod) => {
        for await (const event of eventsOf(pod, options, options.signal)) {
          merge.push(event, options.clock.monotonicMs());
          if (unwritten > MAX_WAITING) await writing;
        }
      }),
    );
  } finally {
    clearInterval(timer);
    merge.release(Number.POSITIVE_INFINITY);
    await writing;
  }
}

async function* eventsOf(pod: AgentPod, options: FleetEventsOptions, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  if (!pod.isRunning) {
    options.onMissing(pod.node, `its agent ${pod.name} is not running`);
    return;
  }
  const ready: AgentEvent[] = [];
  const splitter = new LineSplitter();
  let isOver = false;
  let wake: () => void = () => {};
  const flow: { room: PromiseWithResolvers<void> | null } = { room: null };
  const onOutput: OutputHandler = (chunk) => {
    const oversizedBefore = splitter.oversized;
    for (const line of splitter.push(chunk)) {
      const event = parseEvent(line);
      if (event !== null) ready.push(event);
    }
    if (splitter.oversized > oversizedBefore) options.onMissing(pod.node, 'an event of more than 1 MiB is left out');
    wake();
    if (ready.length <= MAX_WAITING) return undefined;
    flow.room ??= Promise.withResolvers<void>();
    return flow.room.promise;
  };
  const done = options.run(pod, onOutput, signal).finally(() => {
    isOver = true;
    wake();
  });
  for (;;) {
    for (let event = ready.shift(); event !== undefined; event = ready.shift()) yield event;
    flow.room?.resolve();
    flow.room = null;
    if (isOver) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (ready.length > 0 || isOver) resolve();
    });
  }
  const end = await done;
  if (end.code !== 0 && !signal.aborted) options.onMissing(pod.node, end.stderr.trim() === '' ? end.message : end.stderr.trim());
}
