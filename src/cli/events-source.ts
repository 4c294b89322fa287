import type { AgentEvent } from '../nodeagent/events/event.ts';
import type { EventFilter } from '../nodeagent/events/filter.ts';
import { eventHistory, parseEvent } from './event-history.ts';

export type LocalEventsOptions = {
  readonly socket: string;
  readonly exportFile: string;
  readonly backups: number;
  readonly filter: EventFilter;
  /** `history`: what is in the files. `follow`: what comes from now on. `both`: one after the other, nothing twice. */
  readonly mode: 'history' | 'follow' | 'both';
  readonly signal: AbortSignal;
};

/** Events of this node, from the export file and the agent's socket. Throws AgentClientError where no agent answers and one is needed. */
export async function* localEvents(options: LocalEventsOptions): AsyncGenerator<AgentEvent> {
  if (options.mode === 'history') {
    yield* eventHistory({ path: options.exportFile, backups: options.backups, filter: options.filter, until: null });
    return;
  }
  // Only who follows pays for the client: on a slow node every library counts.
  const { followAgent } = await import('../nodeagent/local/agent-client.ts');
  const { eventsAnswerSchema } = await import('../nodeagent/local/requests.ts');
  const live = await followAgent(options.socket, { op: 'events', filter: options.filter }, eventsAnswerSchema);
  options.signal.addEventListener('abort', live.close, { once: true });
  try {
    const { file } = live.answer;
    if (options.mode === 'both' && file !== null) {
      const until = { inode: file.inode, bytes: file.bytes };
      yield* eventHistory({ path: file.path, backups: file.backups, filter: options.filter, until });
    }
    for await (const line of live.lines) {
      const event = parseEvent(line);
      if (event !== null) yield event;
    }
  } finally {
    live.close();
  }
}
