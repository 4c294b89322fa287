import type { ArgOperatorName } from '../schema/selectors.ts';
import type { ACTIONS } from '../schema/actions.ts';
import { type ProblemSink, fieldPath } from '../problem.ts';
import type { TracingPolicySpec } from '../schema/spec.ts';
import type { SelectorSpec } from '../schema/selectors.ts';
import type { ActionSpec } from '../schema/actions.ts';
import type { KprobeSpec, TracepointSpec } from '../schema/hooks.ts';

/** Fields of the language that this version refuses; docs/limits.md is generated from these tables. */
export const UNSUPPORTED_SPEC_FIELDS = [
  'uprobes',
  'usdts',
  'fentries',
  'loader',
  'enforcers',
  'lists',
  'selectorsMacros',
  'containerSelector',
  'hostSelector',
] as const satisfies readonly (keyof TracingPolicySpec)[];

export const UNSUPPORTED_KPROBE_FIELDS = [
  'return',
  'returnArg',
  'returnArgAction',
  'data',
  'ignore',
] as const satisfies readonly (keyof KprobeSpec)[];

export const UNSUPPORTED_TRACEPOINT_FIELDS = ['raw'] as const satisfies readonly (keyof TracepointSpec)[];

export const UNSUPPORTED_SELECTOR_FIELDS = [
  'matchData',
  'matchReturnArgs',
  'matchParentBinaries',
  'matchPIDs',
  'matchNamespaceChanges',
  'matchCapabilityChanges',
  'matchWorkloads',
  'matchReturnActions',
  'label',
  'macros',
] as const satisfies readonly (keyof SelectorSpec)[];

export const UNSUPPORTED_ACTION_FIELDS = [
  'argSig',
  'argUrl',
  'argFqdn',
  'argSock',
  'argIndex',
  'argValue',
  'argRegs',
  'argNewSymbol',
  'argNewAddr',
  'argNewOffset',
  'rateLimit',
  'rateLimitScope',
  'kernelStackTrace',
  'userStackTrace',
  'imaHash',
] as const satisfies readonly (keyof ActionSpec)[];

type ActionName = (typeof ACTIONS)[number];

export const SUPPORTED_ACTIONS = ['Post', 'NoPost', 'Sigkill', 'Override'] as const satisfies readonly ActionName[];

export const INT_OPERATORS = ['Equal', 'NotEqual', 'In', 'NotIn'] as const satisfies readonly ArgOperatorName[];

export const BYTES_OPERATORS = [
  'Equal',
  'NotEqual',
  'In',
  'NotIn',
  'Prefix',
  'NotPrefix',
  'Postfix',
  'NotPostfix',
] as const satisfies readonly ArgOperatorName[];

/** Operators that mean something for these types in the language, and that this version refuses. */
export const UNSUPPORTED_INT_OPERATORS: readonly ArgOperatorName[] = [
  'GreaterThan',
  'LessThan',
  'GT',
  'LT',
  'InRange',
  'NotInRange',
  'Mask',
  'InMap',
  'NotInMap',
  'CelExpr',
];
export const UNSUPPORTED_BYTES_OPERATORS: readonly ArgOperatorName[] = ['SubString', 'SubStringIgnCase'];
export const UNSUPPORTED_FILE_OPERATORS: readonly ArgOperatorName[] = ['FileType', 'NotFileType'];

/** Options of upstream and of ours that are known and refused. */
export const UNSUPPORTED_OPTIONS: readonly string[] = [
  'disable-kprobe-multi',
  'disable-uprobe-multi',
  'override-method',
  'sleepable-preload-size',
  'palisade.dev/rollout',
];

/** Adds a problem for every field that is in use. Absent, false and empty values say nothing and pass. */
export function refuseFields<Key extends string>(
  sink: ProblemSink,
  path: string,
  object: Readonly<Partial<Record<Key, unknown>>>,
  fields: readonly Key[],
): void {
  for (const field of fields) {
    if (isInUse(object[field])) {
      notSupported(sink, fieldPath(path, field), `${field} is not supported yet`);
    }
  }
}

export function notSupported(sink: ProblemSink, path: string, message: string, hint?: string): void {
  sink.error('NotSupported', path, message, hint);
}

function isInUse(value: unknown): boolean {
  if (value === undefined || value === false || value === '') {
    return false;
  }
  return !(Array.isArray(value) && value.length === 0);
}
