import type { KernelCatalogue, KernelFacts } from '../../policy/kernel-facts.ts';

/** A node that has an agent, as the hub last told. */
export type FleetNode = {
  readonly labels: Readonly<Record<string, string>>;
  /** Which of `Fleet.builds` it runs; null: not known. */
  readonly build: string | null;
  /** Since when its agent has been silent, on the monotonic clock; null: it is connected. */
  readonly silentSinceMs: number | null;
};

/** One kernel build. */
export type FleetBuild = {
  /**
   * For `bind`. Its names can be asked for but not listed: `bind` looks for the nearest name for every hook and kernel, which would let a
   * policy of many misspelt hooks hold up admission for everybody.
   */
  readonly kernel: KernelFacts;
  /** The names themselves, for the suggestion of a refusal; null: not here yet. */
  readonly names: KernelCatalogue | null;
};

/** What the webhook knows of the fleet's kernels at one moment. */
export type Fleet = {
  readonly builds: ReadonlyMap<string, FleetBuild>;
  readonly nodes: ReadonlyMap<string, FleetNode>;
  /** When the hub last said anything, on the monotonic clock: what is true of connected nodes is as old as that. */
  readonly heardAtMs: number;
};

/** How old what is known of a node's kernel is. */
export function factsAgeMs(fleet: Fleet, node: FleetNode, nowMs: number): number {
  return nowMs - (node.silentSinceMs ?? fleet.heardAtMs);
}
