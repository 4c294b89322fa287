/** Bounds of the language as the engine can carry them (engine-spec 3.6); over a bound is an error that names the field. */
export const LIMITS = {
  selectorsPerHook: 64,
  argsPerHook: 16,
  filtersPerSelector: 16,
  actionsPerSelector: 8,
  valuesPerFilter: 65_536,
  equalBytes: 255,
  prefixBytes: 255,
  postfixBytes: 248,
  binaryBytes: 255,
  messageBytes: 256,
  tagBytes: 128,
  tagsPerHook: 16,
  minTextChars: 2,
  labelBytes: 256,
  labelKeyChars: 317,
  hooksPerPolicy: 1_024,
  /** Of the canonical text; what the hub sends at most (control-plane 3.3). */
  planBytes: 4 << 20,
  /** Functions pass six integers in registers; those after them are on the stack. */
  maxArgIndex: 5,
  maxTracepointFieldIndex: 63,
  maxErrno: 4095,
  maxEventsPerSecond: 1_000_000,
  defaultEventsPerSecond: 1_000,
} as const;
