import type { CatalogueFrame, KernelBuildFrame, KernelNames } from '../../protocol/catalogue.ts';
import { catalogueFrameSchema, MAX_BUILDS } from '../../protocol/catalogue.ts';
import type { KernelCatalogue } from '../../policy/kernel-facts.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Fleet, FleetBuild, FleetNode } from './fleet.ts';

/** A hub may not make this process keep more nodes than any cluster has. */
const MAX_NODES = 100_000;

/** Keeps what the hub's frames say, over reconnects too. */
export type FleetMemory = {
  /** Null until the hub has told all that it knows, once. */
  view(): Fleet | null;
  /** Builds whose names are held, so that they need not be sent again. */
  builds(): readonly string[];
  apply(frame: CatalogueFrame): void;
  applyNames(build: string, names: KernelNames): void;
  /** Milliseconds since the hub last said anything; Infinity before the first frame. */
  ageMs(): number;
};

export function createFleetMemory(clock: Clock): FleetMemory {
  const frames = new Map<string, KernelBuildFrame>();
  const names = new Map<string, KernelCatalogue>();
  const builds = new Map<string, FleetBuild>();
  let nodes = new Map<string, FleetNode>();
  let isReady = false;
  let heardAtMs = Number.NEGATIVE_INFINITY;

  const joinFacts = (build: string): void => {
    const frame = frames.get(build);
    if (frame !== undefined) {
      const { release, arch, lsm, preempt } = frame;
      const known = names.get(build) ?? null;
      builds.set(build, {
        kernel: { release, arch, lsm, preempt, facts: frame.facts, catalogue: known === null ? null : askOnly(known) },
        names: known,
      });
    }
  };

  return {
    view: () => (isReady ? { builds, nodes, heardAtMs } : null),
    builds: () => [...names.keys()],
    ageMs: () => clock.monotonicMs() - heardAtMs,
    apply: (input) => {
      const frame = catalogueFrameSchema.parse(input);
      heardAtMs = clock.monotonicMs();
      switch (frame.t) {
        case 'build':
          if (frames.size < MAX_BUILDS || frames.has(frame.build)) {
            frames.set(frame.build, frame);
            joinFacts(frame.build);
          }
          return;
        case 'gone':
          frames.delete(frame.build);
          names.delete(frame.build);
          builds.delete(frame.build);
          return;
        case 'nodes':
          if (frame.full) {
            nodes = new Map();
          }
          for (const name of frame.gone) {
            nodes.delete(name);
          }
          for (const node of frame.put) {
            if (nodes.size < MAX_NODES || nodes.has(node.name)) {
              const silentSinceMs = node.silentMs === 0 ? null : heardAtMs - node.silentMs;
              nodes.set(node.name, { labels: node.labels, build: node.build, silentSinceMs });
            }
          }
          return;
        case 'ready':
          isReady = true;
          return;
        case 'welcome':
          // A new connection: the hub tells what is left of the builds that we said we hold, and does not know of the others.
          for (const build of [...frames.keys()].filter((held) => !names.has(held))) {
            frames.delete(build);
            builds.delete(build);
          }
          return;
        case 'alive':
          return;
      }
    },
    applyNames: (build, given) => {
      heardAtMs = clock.monotonicMs();
      if (names.size < MAX_BUILDS || names.has(build)) {
        names.set(build, {
          functions: new Set(given.functions),
          lsmHooks: new Set(given.lsmHooks),
          tracepoints: new Set(given.tracepoints),
        });
        joinFacts(build);
      }
    },
  };
}

/** Sets that have their size, say whether a name is there, and list none: suggestions are bounded where the fleet is checked. */
function askOnly(catalogue: KernelCatalogue): KernelCatalogue {
  const closed = (set: ReadonlySet<string>): ReadonlySet<string> =>
    Object.defineProperties(new Set<string>(), { has: { value: (name: string) => set.has(name) }, size: { value: set.size } });
  return { functions: closed(catalogue.functions), lsmHooks: closed(catalogue.lsmHooks), tracepoints: closed(catalogue.tracepoints) };
}
