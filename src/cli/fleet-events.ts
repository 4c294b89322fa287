/** Events of all nodes, by running `palisade events --local` in every agent's pod. */
import type { ApiServerAccess } from '../kube/credentials.ts';
import type { AgentEvent } from '../nodeagent/events/event.ts';
import { execInAgent, type AgentPod } from './agent-pods.ts';
import { parseEvent } from './event-history.ts';
import { LineSplitter } from './line-splitter.ts';
import { LiveMerge, mergeByTime } from './merge-events.ts';

export type FleetEventsOptions = {
  readonly access: ApiServerAccess;
  readonly pods: readonly AgentPod[];
  /** Of the command in the pod, filters included. */
  readonly args: readonly string[];
  readonly follow: 'until the end' | 'for ever';
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly onEvent: (event: AgentEvent) => Promise<void>;
  /** A node whose events are missing, with the reason. */
  readonly onMissing: (node: string, reason: string) => void;
};

/** How long an event may be overtaken by an older one of another node. */
const HOLD_MS = 700;
const RELEASE_MS = 100;

export async function fleetEvents(options: FleetEventsOptions): Promise<void> {
  if (options.follow === 'until the end') {
    for await (const event of mergeByTime(options.pods.map((pod) => eventsOf(pod, options)))) await options.onEvent(event);
    return;
  }
  let writing = Promise.resolve();
  const merge = new LiveMerge({
    holdMs: HOLD_MS,
    emit: (event) => {
      writing = writing.then(() => options.onEvent(event));
    },
  });
  const timer = setInterval(() => merge.release(options.nowMs()), RELEASE_MS);
  try {
    await Promise.all(
      options.pods.map(async (pod) => {
        for await (const event of eventsOf(pod, options)) merge.push(event, options.nowMs());
      }),
    );
  } finally {
    clearInterval(timer);
    merge.release(Number.POSITIVE_INFINITY);
    await writing;
  }
}

async function* eventsOf(pod: AgentPod, options: FleetEventsOptions): AsyncGenerator<AgentEvent> {
  if (!pod.isRunning) {
    options.onMissing(pod.node, `its agent ${pod.name} is not running`);
    return;
  }
  const ready: AgentEvent[] = [];
  const splitter = new LineSplitter();
  let isOver = false;
  let wake: () => void = () => {};
  const done = execInAgent({
    access: options.access,
    pod,
    args: options.args,
    signal: options.signal,
    connectTimeoutMs: options.connectTimeoutMs,
    onOutput: (chunk) => {
      for (const line of splitter.push(chunk)) {
        const event = parseEvent(line);
        if (event !== null) ready.push(event);
      }
      wake();
    },
  }).finally(() => {
    isOver = true;
    wake();
  });
  for (;;) {
    for (let event = ready.shift(); event !== undefined; event = ready.shift()) yield event;
    if (isOver) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (ready.length > 0 || isOver) resolve();
    });
  }
  const end = await done;
  if (end.code !== 0 && !options.signal.aborted) options.onMissing(pod.node, end.stderr.trim() === '' ? end.message : end.stderr.trim());
}
