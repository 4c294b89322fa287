import { deletePod, execIn, startPod, untilEnded, untilRunning } from './pods.ts';
import { kubectl } from './cluster-under-test.ts';

/** What a prober has done: how often it tried to open the denied file, and how often it got through. */
export type ProberCount = { readonly calls: number; readonly opened: number };

/** A pod that opens one file all the time. */
export type Prober = { readonly name: string; readonly node: string; readonly stop: () => Promise<ProberCount> };

export const deniedPath = '/tmp/denied';

/**
 * A shell of one process, so that a call is an open and nothing else. Counts are printed at its end. Not `:`, which is a special
 * builtin: a shell whose special builtin cannot open its file exits. A turn of the loop that has begun ends: every call is counted once.
 */
const script = `calls=0 opened=0 stop=
trap 'stop=1' TERM
while [ -z "$stop" ]; do
  calls=$((calls + 1))
  if { true > ${deniedPath}; } 2>/dev/null; then opened=$((opened + 1)); fi
done
echo "calls $calls opened $opened"`;

/**
 * The policy that denies it, with more values that change nothing for the prober. Events are few by default: an emulated node has one
 * processor, and describing a thousand denials a second would leave it none for anything else.
 */
export function denySpec(
  options: {
    readonly moreValues?: readonly string[];
    readonly node?: string;
    readonly moreSelectors?: readonly object[];
    readonly rate?: string;
  } = {},
): object {
  return {
    podSelector: {},
    ...(options.node === undefined ? {} : { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': options.node } } }),
    options: [{ name: 'palisade.dev/event-rate', value: options.rate ?? '20/s' }],
    lsmhooks: [
      {
        hook: 'file_open',
        args: [{ index: 0, type: 'file' }],
        selectors: [
          {
            matchArgs: [{ index: 0, operator: 'Equal', values: [deniedPath, ...(options.moreValues ?? [])] }],
            matchActions: [{ action: 'Override', argError: -1 }],
          },
          ...(options.moreSelectors ?? []),
        ],
      },
    ],
  };
}

/** Starts a prober on a node. The policy that denies the file must be Ready there. */
export async function startProber(name: string, node: string): Promise<Prober> {
  await startPod({ name, node }, ['sh', '-c', script]);
  await untilRunning(name);
  return {
    name,
    node,
    stop: async () => {
      await execIn(name, ['kill', '-TERM', '1']);
      await untilEnded(name);
      const logs = await kubectl.run(['logs', name]);
      await deletePod(name);
      const count = /calls (\d+) opened (\d+)/.exec(logs);
      if (count === null) throw new Error(`prober ${name} ended without its counts: ${logs.slice(-300)}`);
      return { calls: Number(count[1]), opened: Number(count[2]) };
    },
  };
}
