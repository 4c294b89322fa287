import { didYouMean } from '../nearest.ts';
import type { PlanArg, PlanHookKind } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ArgumentSpec } from '../schema/arguments.ts';
import type { ArgFilterSpec } from '../schema/selectors.ts';
import type { CompiledList, ListTable } from './lists.ts';

/** A value that a hook reads, as declared, with what is needed to check filters on it. */
export type DeclaredArg = {
  readonly list: 'args' | 'data' | 'returnArg';
  readonly spec: ArgumentSpec;
  /** Position in `PlanHook.args`: args first, then data, then the return value. */
  readonly position: number;
  /** Null if it does not compile; there is a problem for it then. */
  readonly plan: PlanArg | null;
};

/** Everything that filters of one block of a selector can be about. */
export type FilterContext = {
  readonly block: 'matchArgs' | 'matchData' | 'matchReturnArgs';
  readonly kind: PlanHookKind;
  /** All values of the hook, in the order of the plan. */
  readonly args: readonly DeclaredArg[];
  /** What `list:NAME` in a value means. */
  readonly lists: ListTable;
};

/**
 * The values that a filter means: `args` names positions (several for CapabilitiesGained), `index` one value: in matchArgs by its own
 * `index`, in matchData by its place in data, in matchReturnArgs the returned value or what is read at return. Undefined after a problem.
 */
export function findArguments(
  sink: ProblemSink,
  path: string,
  filter: ArgFilterSpec,
  context: FilterContext,
): readonly DeclaredArg[] | undefined {
  const choices = choicesOf(context);
  const positions = filter.args ?? [];
  if (positions.length > 0) {
    const found = positions.map((position) => choices[position]);
    const missing = positions.find((position) => choices[position] === undefined);
    if (missing !== undefined) {
      const hint = choices.length === 0 ? `the hook has no ${FIELDS[context.block]}` : `positions from 0 to ${choices.length - 1}`;
      const message = `${FIELDS[context.block]} has no entry at position ${missing}`;
      sink.error('UndeclaredArgument', fieldPath(path, 'args'), message, hint);
      return undefined;
    }
    return refuseLate(
      sink,
      fieldPath(path, 'args'),
      context,
      found.flatMap((arg) => arg ?? []),
    );
  }
  const found = findByIndex(sink, path, filter.index ?? 0, choices, context);
  return found === undefined ? undefined : refuseLate(sink, fieldPath(path, 'index'), context, [found]);
}

const FIELDS = { matchArgs: 'args', matchData: 'data', matchReturnArgs: 'returnArg' } as const;

/** In the order in which `args` of a filter counts them. */
function choicesOf({ block, args }: FilterContext): readonly DeclaredArg[] {
  switch (block) {
    case 'matchArgs':
      return args.filter((arg) => arg.list === 'args');
    case 'matchData':
      return args.filter((arg) => arg.list === 'data');
    case 'matchReturnArgs':
      return args.filter((arg) => arg.list === 'returnArg').concat(args.filter((arg) => arg.list === 'args' && arg.spec.returnCopy));
  }
}

function findByIndex(
  sink: ProblemSink,
  path: string,
  index: number,
  choices: readonly DeclaredArg[],
  { block, kind }: FilterContext,
): DeclaredArg | undefined {
  const at = fieldPath(path, 'index');
  if (block === 'matchData') {
    const found = choices[index];
    if (found === undefined) {
      const hint = choices.length === 0 ? 'the hook has no data' : `positions from 0 to ${choices.length - 1}`;
      sink.error('UndeclaredArgument', at, `data has no entry at position ${index}`, hint);
    }
    return found;
  }
  const [found, other] = choices.filter((arg) => arg.spec.index === index);
  if (found !== undefined) {
    if (other !== undefined && other.list === found.list) {
      sink.warn('AmbiguousArgument', at, `several entries of args have index ${index}; the first is meant`, 'use "args" with its position');
    }
    return found;
  }
  // As upstream: a number that is no field of a tracepoint's args is a position in args.
  const byPosition = kind === 'tracepoint' && block === 'matchArgs' ? choices[index] : undefined;
  if (byPosition !== undefined) {
    const hint = `write "index: ${byPosition.spec.index}"`;
    sink.warn('AmbiguousArgument', at, `no entry of args has index ${index}; the one at position ${index} is meant`, hint);
    return byPosition;
  }
  const declared = [...new Set(choices.map((arg) => arg.spec.index))].join(', ');
  if (block === 'matchReturnArgs') {
    const hint = declared === '' ? 'set "return: true" and returnArg' : `read at return: ${declared}`;
    sink.error('UndeclaredArgument', at, `${index} is neither the index of returnArg nor of an argument with returnCopy`, hint);
  } else {
    const hint = declared === '' ? 'declare it in args' : `declare it in args; declared: ${declared}`;
    sink.error('UndeclaredArgument', at, `argument ${index} is not among the args of this hook`, hint);
  }
  return undefined;
}

/** What is read when the function returns cannot be compared when it is entered. */
function refuseLate(
  sink: ProblemSink,
  path: string,
  context: FilterContext,
  args: readonly DeclaredArg[],
): readonly DeclaredArg[] | undefined {
  if (context.block !== 'matchReturnArgs' && args.some((arg) => arg.spec.returnCopy)) {
    const message = 'a buffer with returnCopy is read when the function returns: here it never matches';
    sink.error('ReadAtReturn', path, message, 'use matchReturnArgs');
    return undefined;
  }
  return args;
}

/** Names that are compared with a misspelt one. */
const MAX_SUGGESTED = 64;

/** The list that `list:NAME` names; undefined after a problem. */
export function findList(sink: ProblemSink, path: string, reference: string, lists: ListTable): CompiledList | undefined {
  const name = reference.slice('list:'.length);
  const found = lists.get(name);
  if (found === undefined) {
    sink.error(
      'UnknownList',
      path,
      `there is no list ${quote(name)} in spec.lists`,
      sink.isFull() ? undefined : didYouMean(name, [...lists.keys()].slice(0, MAX_SUGGESTED)),
    );
  }
  return found;
}
