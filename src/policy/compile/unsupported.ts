/**
 * Options that are known and refused: they belong to parts of Palisade that are still to come. docs/limits.md is generated from this.
 * Everything else of the language compiles; what the engine of this version does not run is for `bind` to say.
 */
export const UNSUPPORTED_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['palisade.dev/rollout', 'new versions go to all nodes at once; leave the option out'],
]);
