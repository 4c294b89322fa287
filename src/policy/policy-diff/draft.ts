import { classOf } from '../arg-types.ts';
import type { ArgValue, HookCall } from '../evaluate/event.ts';
import type { PlanArg, PlanHook } from '../plan.ts';
import { readArgument } from '../policy-tests/argument-value.ts';
import { positionOf, shortestName } from '../policy-tests/argument-names.ts';
import { type CallResult, resultOf } from '../policy-tests/call-result.ts';
import type { TestedHook } from '../policy-tests/hook-names.ts';
import { readCaller } from '../policy-tests/process-facts.ts';
import type { ArgumentWords, NamespaceWords, PodWords, ProcessWords, TestCase } from '../policy-tests/test-schema.ts';
import { createProblemSink } from '../problem.ts';

/**
 * A call in the words of a test, while it is being looked for. Both policies read the same words, and what is printed in the end is what
 * was evaluated.
 */
export type Draft = {
  /** By what the value is (`Identify`), because two policies may list values in different order. */
  readonly args: ReadonlyMap<string, ArgumentWords>;
  readonly process: Omit<ProcessWords, 'capabilities' | 'namespaces' | 'atExec'>;
  readonly capabilities: {
    readonly effective?: readonly string[];
    readonly permitted?: readonly string[];
    readonly inheritable?: readonly string[];
  };
  readonly namespaces: NamespaceWords;
  /** Capabilities and namespaces at exec; absent: the same as now. */
  readonly execCapabilities?: readonly string[];
  readonly execNamespaces?: NamespaceWords;
  readonly pod: PodWords | undefined;
  readonly host: boolean;
};

export const PLAIN_DRAFT: Draft = { args: new Map(), process: {}, capabilities: {}, namespaces: {}, pod: undefined, host: false };

/** Names a value by what is read, so that both policies give one value to what they both read. */
export type Identify = (arg: PlanArg) => string;

/** Among these hooks. What one of them takes for a number and another for a text is two values: no call has one that is both. */
export function createIdentify(hooks: readonly PlanHook[]): Identify {
  const kinds = Map.groupBy(
    hooks.flatMap(({ args }) => args),
    placeOf,
  );
  return (arg) => {
    const place = placeOf(arg);
    const known = new Set((kinds.get(place) ?? []).flatMap((one) => kindOf(one) ?? []));
    return known.size <= 1 ? place : `${place} as ${kindOf(arg) ?? 'anything'}`;
  };
}

function placeOf({ index, from, resolve, btfType, btfModule }: PlanArg): string {
  return from === 'return' ? 'return' : JSON.stringify([from ?? 'argument', index, resolve ?? [], btfType ?? '', btfModule ?? '']);
}

/** Undefined: it can be any of them. */
function kindOf({ type }: PlanArg): 'number' | 'text' | 'socket' | undefined {
  switch (classOf(type)) {
    case 'integer':
    case 'capabilities':
      return 'number';
    case 'text':
      return 'text';
    case 'socket':
      return 'socket';
    case 'auto':
    case 'shown':
      return undefined;
  }
}

/** Undefined: the words are no value of this type. */
export function valueOf(arg: PlanArg, words: ArgumentWords): ArgValue | undefined {
  const sink = createProblemSink();
  const value = readArgument(sink, '', arg, words);
  return sink.list().length === 0 ? value : undefined;
}

/** Remembers what words mean to a type: the same few are read thousands of times. */
export type ValueReader = (arg: PlanArg, words: ArgumentWords) => ArgValue;

export function createValueReader(): ValueReader {
  const known = new Map<string, Map<ArgumentWords, ArgValue>>();
  return (arg, words) => {
    const ofType = known.get(arg.type) ?? new Map<ArgumentWords, ArgValue>();
    known.set(arg.type, ofType);
    const value = ofType.get(words) ?? valueOf(arg, words) ?? { kind: 'unknown' };
    // Sockets are put together anew for each call, and are not asked for again.
    if (typeof words !== 'object') ofType.set(words, value);
    return value;
  };
}

/** How words of a draft become what hooks see. */
export type Reading = { readonly identify: Identify; readonly read: ValueReader };

export function callOf(hook: PlanHook, draft: Draft, process: HookCall['process'], { identify, read }: Reading): HookCall {
  const args = hook.args.map((arg): ArgValue => {
    const words = draft.args.get(identify(arg));
    return words === undefined ? { kind: 'unknown' } : read(arg, words);
  });
  return { args, process };
}

export function callerOf(draft: Draft, namespace: string): HookCall['process'] {
  return readCaller(createProblemSink(), '', { process: processWords(draft), pod: draft.pod, host: draft.host }, { namespace });
}

export function outcomeOf(hooks: readonly TestedHook[], draft: Draft, process: HookCall['process'], reading: Reading): CallResult {
  return resultOf(hooks.map(({ policy, hook }) => ({ policy, hook, call: callOf(hook, draft, process, reading) })));
}

function processWords(draft: Draft): ProcessWords {
  const { capabilities, namespaces, execCapabilities, execNamespaces } = draft;
  const sets = Object.fromEntries(Object.entries(capabilities).map(([set, names]) => [set, [...names]]));
  return {
    ...draft.process,
    ...(isEmpty(capabilities) ? {} : { capabilities: sets }),
    ...(isEmpty(namespaces) ? {} : { namespaces }),
    ...(execCapabilities === undefined && execNamespaces === undefined
      ? {}
      : {
          atExec: {
            ...(execCapabilities === undefined ? {} : { capabilities: [...execCapabilities] }),
            ...(execNamespaces === undefined ? {} : { namespaces: execNamespaces }),
          },
        }),
  };
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}

/** The call as a test has it, with the names that these hooks give to values. */
export function caseOf(hookName: string, draft: Draft, hooks: readonly PlanHook[], identify: Identify): Omit<TestCase, 'name' | 'expect'> {
  const named = new Map<string, ArgumentWords>();
  let returns: ArgumentWords | undefined;
  for (const hook of hooks) {
    for (const [position, arg] of hook.args.entries()) {
      const words = draft.args.get(identify(arg));
      if (words === undefined) continue;
      if (arg.from === 'return') returns = words;
      else if (positionOf(hook, shortestName(hook, position)) === position) named.set(shortestName(hook, position), words);
    }
  }
  const keys = [...named.keys()];
  const isList = keys.length > 0 && keys.every((key, at) => key === String(at));
  const process = processWords(draft);
  return {
    hook: hookName,
    ...(keys.length === 0 ? {} : { args: isList ? [...named.values()] : Object.fromEntries(named) }),
    ...(returns === undefined ? {} : { returns }),
    ...(isEmpty(process) ? {} : { process }),
    ...(draft.pod === undefined ? {} : { pod: draft.pod }),
    ...(draft.host ? { host: true } : {}),
  };
}
