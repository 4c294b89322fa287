import path from 'node:path';
import { CommandFailed } from '../host/command.ts';
import type { OpenCluster } from './cluster-info.ts';
import { waitUntil } from './wait-until.ts';

const root = path.join(import.meta.dirname, '../..');
const attack = ['run', 'test-pod', '--image=busybox', '--restart=Never', '--', 'sh', '-c', 'echo test > /etc/passwd'] as const;

function quoted(word: string): string {
  return /^[\w./=:@,-]+$/.test(word) ? word : `"${word}"`;
}

/** What a newcomer is shown: policies applied, their table, an attack, its kill and its event. Every line is typed and answered live. */
export async function showTour(cluster: OpenCluster, say: (text: string) => void): Promise<void> {
  const type = async (args: readonly string[]): Promise<string> => {
    say(`\n$ kubectl ${args.map((word) => quoted(word)).join(' ')}\n`);
    const output = await cluster.kubectl.run(args).catch((error: unknown) => {
      if (error instanceof CommandFailed) return error.stderr;
      throw error;
    });
    say(output);
    return output;
  };
  const examples = path.relative(process.cwd(), path.join(root, 'examples'));
  await type(['apply', '-f', path.join(examples, 'seed')]);
  await type(['wait', '--for=condition=Ready', 'tracingpolicies', '--all', '--timeout=60s']);
  await type(['get', 'tracingpolicies']);

  say('\n# An attack: a pod writes to /etc.');
  await type(attack);
  const exitCode = await waitUntil(
    'test-pod to end',
    async () => {
      const code = await cluster.kubectl.run([
        'get',
        'pod',
        'test-pod',
        '-o',
        'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}',
      ]);
      return code === '' ? undefined : code;
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
  await type(['get', 'pod', 'test-pod']);
  say(`# It was killed in the kernel: exit code ${exitCode}.\n`);
}
