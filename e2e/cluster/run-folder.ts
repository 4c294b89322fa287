import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';

/** Where `make up` keeps what it needs to know again: .run/ of this checkout. */
export const runFolder = path.join(import.meta.dirname, '../../.run');
export const clusterFolder = path.join(runFolder, 'cluster');
export const stateFile = path.join(runFolder, 'state.json');
/** What tests need to use the cluster of `make up` instead of one of their own. */
export const infoFile = path.join(runFolder, 'cluster.json');
export const keeperLog = path.join(runFolder, 'up.log');
/** The administrator's kubeconfig of the running cluster, for plain kubectl. */
export const kubeconfigFile = path.join(runFolder, 'kubeconfig');
export const binFolder = path.join(runFolder, 'bin');

const stateSchema = z.object({
  /** The process that owns the cluster, with its start time in clock ticks since boot: a process id alone may be a stranger's. */
  pid: z.number().int().positive(),
  startTicks: z.string(),
  phase: z.enum(['starting', 'ready']),
});

export type RunState = z.infer<typeof stateSchema>;

/** When a process was started, in clock ticks since boot (field 22 of /proc/PID/stat); undefined when there is none. */
export async function startTicksOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may itself hold spaces and parentheses.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

/** The state of the cluster of this checkout; undefined when none runs. */
export async function readRunState(): Promise<RunState | undefined> {
  const text = await readFile(stateFile, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const state = stateSchema.safeParse(JSON.parse(text));
  if (!state.success) return undefined;
  return (await startTicksOf(state.data.pid)) === state.data.startTicks ? state.data : undefined;
}
