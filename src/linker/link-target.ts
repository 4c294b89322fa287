/** What the engine that gets the tables can walk. */
export type LinkTarget = {
  /** Engines on one attach point, 1…4. */
  readonly lanesPerHook: number;
  /** `today`: what the engine of this version reads; a hook that needs more is refused, should `bind` ever let one pass. */
  readonly tables: 'today' | 'all';
};

/** Lanes wait for the engine: a call that one of them denies is not shown to the others by the kernel (docs/linking.md). */
export const ENGINE_OF_TODAY: LinkTarget = { lanesPerHook: 1, tables: 'today' };

/** The engine that the specification describes. */
export const WHOLE_ENGINE: LinkTarget = { lanesPerHook: 4, tables: 'all' };
