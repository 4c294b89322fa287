import type { KernelFacts } from '../../policy/kernel-facts.ts';

/** A node that has an agent, as the hub last told. */
export type FleetNode = {
  readonly labels: Readonly<Record<string, string>>;
  /** Which of `Fleet.builds` it runs; null: not known. */
  readonly build: string | null;
  /** Since when its agent has been silent, on the monotonic clock; null: it is connected. */
  readonly silentSinceMs: number | null;
};

/** What the webhook knows of the fleet's kernels at one moment. */
export type Fleet = {
  readonly builds: ReadonlyMap<string, KernelFacts>;
  readonly nodes: ReadonlyMap<string, FleetNode>;
  /** When the hub last said anything, on the monotonic clock: what is true of connected nodes is as old as that. */
  readonly heardAtMs: number;
};

/** How old what is known of a node's kernel is. */
export function factsAgeMs(fleet: Fleet, node: FleetNode, nowMs: number): number {
  return nowMs - (node.silentSinceMs ?? fleet.heardAtMs);
}
