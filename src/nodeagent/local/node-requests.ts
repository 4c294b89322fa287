import type { Log } from '../../telemetry/log.ts';
import type { LoaderUp } from '../state/loader-keeper.ts';
import { policyStatuses } from '../state/node-status.ts';
import type { PolicyRunner } from '../state/policy-runner.ts';
import type { SuspendList } from '../state/suspend-list.ts';
import type { AgentRequests, StatusAnswer } from './requests.ts';

export type NodeRequestParts = {
  readonly nodeName: string;
  readonly suspended: SuspendList;
  readonly runner: () => PolicyRunner;
  readonly loader: () => { readonly state: StatusAnswer['loader']; readonly up: LoaderUp | null };
  readonly hub: () => StatusAnswer['hub'];
  readonly kernel: () => string;
  readonly generation: () => number;
  readonly pods: () => number;
  /** Faults of the node itself. */
  readonly faults: () => string[];
  readonly purge: () => Promise<{ removed: number; left: string[] }>;
  readonly log: Log;
};

/** What the CLI may ask of this node's agent. */
export function nodeRequests(parts: NodeRequestParts): AgentRequests {
  return {
    status: () => nodeStatus(parts),
    suspend: async (policy) => {
      const changed = !parts.suspended.names.has(policy);
      await parts.suspended.suspend(policy);
      parts.log.warn('A policy was suspended on this node', { policy });
      parts.runner().wake();
      return { changed };
    },
    resume: async (policy) => {
      const changed = await parts.suspended.resume(policy);
      if (changed) parts.log.warn('A policy was resumed on this node', { policy });
      parts.runner().wake();
      return { changed };
    },
    purge: parts.purge,
  };
}

async function nodeStatus(parts: NodeRequestParts): Promise<StatusAnswer> {
  const { state, up } = parts.loader();
  const runner = parts.runner();
  const counters = up === null ? null : await up.client.counters();
  return {
    node: parts.nodeName,
    kernel: parts.kernel(),
    generation: parts.generation(),
    hub: parts.hub(),
    loader: state,
    pods: parts.pods(),
    capabilities: [...(up?.hello.keptCapabilities ?? [])],
    faults: parts.faults(),
    policies: policyStatuses(runner.choices, runner.running, counters?.policies ?? new Map()),
  };
}
