import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { errorAnswerSchema, type AgentRequest } from './requests.ts';

/** The agent could not be reached, or refused. */
export class AgentClientError extends Error {
  readonly code = 'AGENT_CLIENT';
  override readonly name = 'AgentClientError';
}

/** One request, one answer. */
export async function askAgent<Answer>(path: string, request: AgentRequest, schema: z.ZodType<Answer>): Promise<Answer> {
  const { lines, socket } = await openAgent(path, request);
  try {
    for await (const line of lines) return readAnswer(line, schema);
    throw new AgentClientError('the agent closed the connection without an answer');
  } finally {
    socket.destroy();
  }
}

/** A request whose answer is followed by lines: the answer, and the lines until either side ends it. */
export async function followAgent<Answer>(
  path: string,
  request: AgentRequest,
  schema: z.ZodType<Answer>,
): Promise<{ answer: Answer; lines: AsyncIterable<string>; close: () => void }> {
  const { lines, socket } = await openAgent(path, request);
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw new AgentClientError('the agent closed the connection without an answer');
  return {
    answer: readAnswer(first.value, schema),
    lines: { [Symbol.asyncIterator]: () => iterator },
    close: () => socket.destroy(),
  };
}

async function openAgent(path: string, request: AgentRequest): Promise<{ lines: AsyncIterable<string>; socket: Socket }> {
  const socket = createConnection(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(new AgentClientError(`no agent answers on ${path}: ${error.message}`)));
  });
  socket.on('error', () => socket.destroy());
  socket.write(`${JSON.stringify(request)}\n`);
  const lines = createInterface({ input: socket, crlfDelay: Infinity });
  // A socket that is destroyed has no end for the interface to see.
  socket.on('close', () => lines.close());
  return { lines, socket };
}

function readAnswer<Answer>(line: string, schema: z.ZodType<Answer>): Answer {
  const value: unknown = JSON.parse(line);
  const error = errorAnswerSchema.safeParse(value);
  if (error.success) throw new AgentClientError(error.data.error);
  return schema.parse(value);
}
