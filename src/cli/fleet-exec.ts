/** One command, run by the CLI of every agent, with its JSON answer read. */
import type { z } from 'zod';
import type { ApiServerAccess } from '../kube/credentials.ts';
import { execInAgent, type AgentPod } from './agent-pods.ts';

export type NodeAnswer<Answer> = { readonly node: string } & (
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly message: string }
);

const MAX_ANSWER_BYTES = 8 << 20;
const AT_ONCE = 16;

export async function askAgents<Answer>(options: {
  readonly access: ApiServerAccess;
  readonly pods: readonly AgentPod[];
  readonly args: readonly string[];
  readonly schema: z.ZodType<Answer>;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<NodeAnswer<Answer>[]> {
  const waiting = [...options.pods];
  const answers: NodeAnswer<Answer>[] = [];
  const work = async (): Promise<void> => {
    for (let pod = waiting.shift(); pod !== undefined; pod = waiting.shift()) answers.push(await askAgentPod(pod, options));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answers.toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

async function askAgentPod<Answer>(pod: AgentPod, options: Parameters<typeof askAgents<Answer>>[0]): Promise<NodeAnswer<Answer>> {
  const { node } = pod;
  if (!pod.isRunning) return { node, ok: false, message: `its agent ${pod.name} is not running` };
  const chunks: Buffer[] = [];
  let bytes = 0;
  const end = await execInAgent({
    access: options.access,
    pod,
    args: options.args,
    signal: options.signal,
    connectTimeoutMs: options.connectTimeoutMs,
    onOutput: (chunk) => {
      bytes += chunk.length;
      if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
    },
  });
  try {
    return { node, ok: true, answer: options.schema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8'))) };
  } catch {
    const said = end.stderr.trim();
    return { node, ok: false, message: said === '' ? (end.message === '' ? 'its answer cannot be read' : end.message) : said };
  }
}
