/**
 * What the engine of this version runs (native/abi/palisade.h, native/bpf). The language is larger: what is not in here compiles, and
 * `bind` refuses it with `NotInEngine`. Growing the engine means growing these tables, and nothing else in `bind`.
 */
import type {
  PlanAction,
  PlanArg,
  PlanArgType,
  PlanBytesOperator,
  PlanFilter,
  PlanHook,
  PlanHookKind,
  PlanOptions,
  PlanPost,
  PlanScope,
  PlanSelector,
} from '../plan.ts';
import type { BoundMethod } from './methods.ts';

export const ENGINE_HOOK_KINDS: ReadonlySet<PlanHookKind> = new Set(['kprobe', 'lsm', 'tracepoint']);

export const ENGINE_ARG_TYPES: ReadonlySet<PlanArgType> = new Set([
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'string',
  'path',
  'file',
]);

export const ENGINE_FILTERS: ReadonlySet<PlanFilter['on']> = new Set(['int', 'bytes', 'binary', 'namespace', 'podNamespace', 'capability']);

/** Longest value in UTF-8 bytes: PAL_STR_MAX, and PAL_SUFFIX_MAX for what is compared from the end. */
export const ENGINE_BYTES: Readonly<Record<PlanBytesOperator, number>> = {
  Equal: 255,
  NotEqual: 255,
  Prefix: 255,
  NotPrefix: 255,
  Postfix: 248,
  NotPostfix: 248,
};

export const ENGINE_BINARY_OPERATORS: ReadonlySet<string> = new Set(['In', 'NotIn']);
export const ENGINE_BINARY_BYTES = 255;

export const ENGINE_ACTIONS: ReadonlySet<PlanAction['type']> = new Set(['post', 'nopost', 'sigkill', 'override']);

/**
 * Not `override_return`: the kernel lets no program that calls bpf_override_return into tail calls (`kprobe_override` in kernel/bpf/core.c),
 * and the engine stands behind one (docs/decisions/0011-no-override-return.md).
 */
export const ENGINE_DENIALS: ReadonlySet<BoundMethod['deny']> = new Set(['lsm', 'fmod_ret', 'registers', 'kill', 'none']);

/** How users write what a plan's optional member came from; null: this engine runs it, or `bind` alone decides. */
type Spelling<T, Always extends keyof T> = Readonly<Record<Exclude<keyof T, Always>, string | null>>;

export const HOOK_MEMBERS: Spelling<
  PlanHook,
  'kind' | 'section' | 'index' | 'path' | 'target' | 'syscall' | 'message' | 'tags' | 'args' | 'selectors'
> = {
  generated: 'call',
  ignoreMissing: null,
  returns: 'return',
  returnSocket: 'returnArgAction',
  user: null,
};

export const ARG_MEMBERS: Spelling<PlanArg, 'index' | 'type' | 'label'> = {
  from: 'source',
  resolve: 'resolve',
  sizeIndex: 'sizeArgIndex',
  returnCopy: 'returnCopy',
  maxData: 'maxData',
  btfType: 'btfType',
  btfModule: 'btfTypeModule',
};

export const SELECTOR_MEMBERS: Spelling<PlanSelector, 'path' | 'filters' | 'actions'> = {
  label: 'label',
  workload: 'matchWorkloads',
  returnFilters: 'matchReturnArgs',
  returnActions: 'matchReturnActions',
};

export const POST_MEMBERS: Spelling<PlanPost, 'type'> = {
  rateLimitMs: 'rateLimit',
  rateLimitScope: 'rateLimitScope',
  kernelStack: 'kernelStackTrace',
  userStack: 'userStackTrace',
  imaHash: 'imaHash',
};

export const SCOPE_MEMBERS: Spelling<PlanScope, 'namespace' | 'podSelector'> = {
  containerSelector: 'containerSelector',
  host: 'hostSelector',
};

/** Options that the engine would have to know; those that only `bind` reads are null. */
export const OPTION_MEMBERS: Spelling<PlanOptions, 'onUnknown' | 'onPending' | 'substitute' | 'eventRatePerSecond'> = {
  overrideMethod: null,
  singleKprobes: null,
  singleUprobes: null,
  sleepablePreloadEntries: null,
};

/** The block of a selector that a filter was written in. */
export const FILTER_BLOCKS: Readonly<Record<PlanFilter['on'], string>> = {
  int: 'matchArgs',
  range: 'matchArgs',
  mask: 'matchArgs',
  bytes: 'matchArgs',
  substring: 'matchArgs',
  fileType: 'matchArgs',
  address: 'matchArgs',
  socket: 'matchArgs',
  gained: 'matchArgs',
  cel: 'matchArgs',
  binary: 'matchBinaries',
  pid: 'matchPIDs',
  namespace: 'matchNamespaces',
  namespaceChange: 'matchNamespaceChanges',
  podNamespace: 'matchNamespaces',
  capability: 'matchCapabilities',
  capabilityChange: 'matchCapabilityChanges',
};
