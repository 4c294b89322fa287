/**
 * Bounds of the language (engine-spec 3.6); over a bound is an error that names the field. What the engine of this version carries of it
 * may be less: `bind` says so.
 */
export const LIMITS = {
  selectorsPerHook: 64,
  /** Arguments, data and the return value together. */
  argsPerHook: 16,
  /** matchArgs and matchData together; matchReturnArgs on their own. */
  filtersPerSelector: 16,
  /** Those on processes too; capabilities may count twice. */
  allFiltersPerSelector: 1_024,
  actionsPerSelector: 8,
  valuesPerFilter: 65_536,
  /** Inode numbers of one filter of matchNamespaces; names of Kubernetes namespaces are as many as other values. */
  inodesPerFilter: 64,
  equalBytes: 4_096,
  prefixBytes: 4_096,
  postfixBytes: 248,
  substringBytes: 255,
  substringsPerFilter: 4_096,
  binaryBytes: 1_023,
  celNodes: 32,
  celPerHook: 8,
  messageBytes: 256,
  tagBytes: 128,
  tagsPerHook: 16,
  minTextBytes: 2,
  labelBytes: 256,
  /** Of a selector, in statistics. */
  selectorLabelBytes: 128,
  labelKeyChars: 317,
  labelValueChars: 63,
  /** Of a field of a container: `repo` has a registry and a path. */
  containerValueBytes: 512,
  listNameBytes: 128,
  listsPerPolicy: 1_024,
  macrosPerPolicy: 1_024,
  hooksPerPolicy: 1_024,
  /** Functions that `enforcers` names. */
  enforcerCalls: 1_024,
  /** Of the canonical text; what the hub sends at most (control-plane 3.3). */
  planBytes: 4 << 20,
  /** Functions pass six integers in registers; those after them are on the stack. */
  maxArgIndex: 5,
  maxTracepointFieldIndex: 63,
  /** A user-level tracepoint has at most twelve arguments. */
  maxUsdtArgIndex: 11,
  resolveSteps: 10,
  maxArrayIndex: 65_535,
  /** Symbols, offsets or addresses of a uprobe. */
  probePoints: 1_024,
  symbolBytes: 512,
  fileBytes: 4_095,
  digestsPerProbe: 256,
  registersPerAction: 8,
  urlBytes: 2_048,
  patternChars: 256,
  maxErrno: 4095,
  maxSignal: 64,
  maxRateLimitMs: 4_294_967_295,
  maxPreloadEntries: 1_048_576,
  maxEventsPerSecond: 1_000_000,
  defaultEventsPerSecond: 1_000,
} as const;
