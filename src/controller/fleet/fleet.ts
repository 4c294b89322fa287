import type { Health, HubKernel, Report } from '../../protocol/hub-frames.ts';
import type { DesiredSet } from '../desired/desired-set.ts';
import { findReason } from '../../policy/reasons.ts';
import { type NodeReport, nextReport } from './node-report.ts';

/** What is known of one node that has, or had, an agent. Times are monotonic. */
export type FleetNode = {
  readonly name: string;
  /** Since when an agent pod has been known; null: there is none. */
  readonly agentSinceMs: number | null;
  readonly isConnected: boolean;
  /** When the connection ended; or, if there never was one, since when one could have been. */
  readonly silentSinceMs: number;
  readonly kernel: (HubKernel & { readonly facts: Readonly<Record<string, boolean | string>> }) | null;
  readonly health: Health | null;
  readonly report: NodeReport | null;
  /** A report has come since this controller started. */
  readonly hasReported: boolean;
};

/** The node report matrix: every node's last word, kept by who said it, so that nothing has to be counted up or down. */
export type Fleet = {
  agentSeen(node: string, nowMs: number): void;
  agentGone(node: string): void;
  connected(node: string, kernel: NonNullable<FleetNode['kernel']>, nowMs: number): void;
  disconnected(node: string, nowMs: number): void;
  reported(node: string, report: Report, set: DesiredSet, nowMs: number): void;
  health(node: string, health: Health): void;
  get(node: string): FleetNode | undefined;
  /** All nodes with an agent pod or a connection. */
  nodes(): Iterable<FleetNode>;
  /** Agent pods, and how many of them have reported. */
  coverage(): { readonly agents: number; readonly reported: number };
};

export function createFleet(): Fleet {
  const nodes = new Map<string, FleetNode>();

  const update = (name: string, nowMs: number, change: Partial<FleetNode>): void => {
    const before = nodes.get(name) ?? emptyNode(name, nowMs);
    nodes.set(name, { ...before, ...change });
  };
  const forgetIfGone = (name: string): void => {
    const node = nodes.get(name);
    if (node !== undefined && node.agentSinceMs === null && !node.isConnected) {
      nodes.delete(name);
    }
  };

  return {
    agentSeen: (name, nowMs) => {
      if ((nodes.get(name)?.agentSinceMs ?? null) === null) {
        update(name, nowMs, { agentSinceMs: nowMs });
      }
    },
    agentGone: (name) => {
      if (nodes.has(name)) {
        update(name, 0, { agentSinceMs: null });
        forgetIfGone(name);
      }
    },
    connected: (name, kernel, nowMs) => update(name, nowMs, { isConnected: true, silentSinceMs: nowMs, kernel }),
    disconnected: (name, nowMs) => {
      // An agent that was never welcome has said nothing: its dials do not make the node reachable.
      if (nodes.get(name)?.isConnected === true) {
        update(name, nowMs, { isConnected: false, silentSinceMs: nowMs });
        forgetIfGone(name);
      }
    },
    reported: (name, report, set, nowMs) =>
      update(name, nowMs, { report: nextReport(nodes.get(name)?.report ?? null, report, set, nowMs), hasReported: true }),
    health: (name, health) => update(name, 0, { health }),
    get: (name) => nodes.get(name),
    nodes: () => nodes.values(),
    coverage: () => {
      let agents = 0;
      let reported = 0;
      for (const node of nodes.values()) {
        agents += node.agentSinceMs === null ? 0 : 1;
        reported += node.agentSinceMs !== null && node.hasReported ? 1 : 0;
      }
      return { agents, reported };
    },
  };
}

function emptyNode(name: string, nowMs: number): FleetNode {
  return {
    name,
    agentSinceMs: null,
    isConnected: false,
    silentSinceMs: nowMs,
    kernel: null,
    health: null,
    report: null,
    hasReported: false,
  };
}

export function isReachable(node: FleetNode, nowMs: number, unreachableMs: number): boolean {
  return node.isConnected || nowMs - node.silentSinceMs < unreachableMs;
}

/** A reason that takes the whole node out of the count. A loader that is being restarted is no such fault: the kernel part goes on. */
export function faultOf(node: FleetNode): string | null {
  return node.health?.loader === 'down' ? 'LoaderUnavailable' : null;
}

/** A reason that is shown and changes nothing. Whose fault it is elsewhere does not matter: here the node says it of itself. */
export function noticeOf(node: FleetNode): string | null {
  const fault = node.health?.fault;
  return fault !== undefined && findReason(fault)?.about === 'load' ? fault : null;
}
