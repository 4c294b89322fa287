import { LIMITS } from '../limits.ts';
import { didYouMean } from '../nearest.ts';
import type { ArgValue, HookCall, ProcessFacts } from '../evaluate/event.ts';
import type { PlanHook, PolicyMode } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import { argumentNames, comparedPositions, placeOf, positionOf, shortestName } from './argument-names.ts';
import { readArgument } from './argument-value.ts';
import type { HookAndCall } from './call-result.ts';
import { type Expected, readExpectation } from './expectation.ts';
import { type TestedHook, type TestedPolicy, chooseHooks } from './hook-names.ts';
import { readCaller } from './process-facts.ts';
import type { ArgumentWords, PodWords, ProcessWords, TestCase, TestFile } from './test-schema.ts';

/** A case that can be run: the calls of all hooks, and what must come of them. */
export type PreparedCase = {
  readonly name: string;
  /** `cases[2]`. */
  readonly path: string;
  /** `lsm:file_open`. */
  readonly hook: string;
  readonly hooks: readonly HookAndCall[];
  readonly expected: Expected;
};

/** Undefined after a problem. */
export function prepareCase(
  sink: ProblemSink,
  path: string,
  file: TestFile,
  words: TestCase,
  policies: readonly TestedPolicy[],
): PreparedCase | undefined {
  const before = sink.list().length;
  const mode = words.mode ?? file.mode;
  const choice = chooseHooks(
    policies.map((policy) => withMode(policy, mode)),
    words.hook ?? file.hook,
  );
  if (!choice.ok) {
    sink.error(
      'NoSuchHook',
      words.hook === undefined && file.hook !== undefined ? 'hook' : fieldPath(path, 'hook'),
      choice.message,
      choice.hint,
    );
    return undefined;
  }
  const { name, hooks } = choice;
  const process = callerOf(sink, path, file, words, policies);
  const named = namedValues(words);
  refuseUnread(sink, path, named, hooks);
  if (words.returns !== undefined && !hooks.some(({ hook }) => hook.args.some((arg) => arg.from === 'return'))) {
    sink.error('NotRead', fieldPath(path, 'returns'), 'the policy does not watch what this hook returns', 'it would need "return: true"');
  }
  const calls = hooks.map((one): HookAndCall => ({ ...one, call: callOf(sink, path, named, words.returns, one, process) }));
  const expected = readExpectation(sink, fieldPath(path, 'expect'), words.expect, hooks);
  return sink.list().length > before ? undefined : { name: words.name, path, hook: name, hooks: calls, expected };
}

function withMode(policy: TestedPolicy, mode: PolicyMode | undefined): TestedPolicy {
  return mode === undefined ? policy : { ...policy, mode };
}

function callerOf(sink: ProblemSink, path: string, file: TestFile, words: TestCase, policies: readonly TestedPolicy[]): ProcessFacts {
  const host = words.host ?? (words.pod === undefined && file.host === true);
  const pod = mixPods(file.pod, words.pod);
  if (host && words.pod !== undefined) {
    sink.error('UselessField', fieldPath(path, 'pod'), 'says nothing about a process of the host', 'leave out pod or host');
  }
  refuseNotKnown(sink, fieldPath(path, 'pod'), words.pod);
  const process = mixProcesses(file.process, words.process);
  const namespaces = policies.flatMap(({ plan }) => plan.scope.namespace ?? []);
  // What the file says for all cases is told once, at the file.
  const at = words.process === undefined ? '' : path;
  return readCaller(sink, at, { process, pod, host }, { namespace: namespaces[0] ?? 'default' });
}

/** What nobody knows of a pod yet decides nothing: a case that says it would pass for another reason than it seems. */
function refuseNotKnown(sink: ProblemSink, path: string, pod: PodWords | undefined): void {
  if (pod === undefined || typeof pod === 'string' || pod.state === undefined || pod.state === 'known') return;
  const notKnown = new Set(['labels', 'container', ...(pod.state === 'unknown' ? ['namespace'] : [])]);
  for (const field of Object.keys(pod).filter((name) => notKnown.has(name))) {
    sink.error('UselessField', fieldPath(path, field), `is not known where the pod is ${pod.state}`, `leave out ${field} or state`);
  }
}

/** Field by field: a case says what is different. */
function mixProcesses(usual: ProcessWords | undefined, own: ProcessWords | undefined): ProcessWords {
  return { ...usual, ...own };
}

function mixPods(usual: PodWords | undefined, own: PodWords | undefined): PodWords | undefined {
  if (usual === undefined || own === undefined) return own ?? usual;
  const [first, second] = [usual, own].map((words) => (typeof words === 'string' ? { namespace: words } : words));
  return { ...first, ...second };
}

type NamedValue = { readonly name: string; readonly path: string; readonly words: ArgumentWords };

/** A list gives arguments by number. */
function namedValues({ args }: TestCase): readonly NamedValue[] {
  if (args === undefined) return [];
  const entries: readonly (readonly [string | number, ArgumentWords | null])[] = Array.isArray(args)
    ? [...args.entries()]
    : Object.entries(args);
  return entries.flatMap(([key, words]) => (words === null ? [] : [{ name: String(key), path: fieldPath('args', key), words }]));
}

function refuseUnread(sink: ProblemSink, path: string, named: readonly NamedValue[], hooks: readonly TestedHook[]): void {
  for (const value of named) {
    if (hooks.some(({ hook }) => positionOf(hook, value.name) !== undefined)) continue;
    const names = [...new Set(hooks.flatMap(({ hook }) => argumentNames(hook)))];
    const reads = names.length === 0 ? 'it reads no arguments' : `it reads ${names.slice(0, LIMITS.argsPerHook).join(', ')}`;
    const hint = (/^[0-9]/.test(value.name) ? undefined : didYouMean(value.name, names)) ?? reads;
    sink.error('NotRead', `${path}.${value.path}`, `the policy does not read argument ${quote(value.name)} of this hook`, hint);
  }
}

function callOf(
  sink: ProblemSink,
  path: string,
  named: readonly NamedValue[],
  returns: ArgumentWords | undefined,
  { policy, hook }: TestedHook,
  process: ProcessFacts,
): HookCall {
  const args = hook.args.map((arg, position): ArgValue | undefined => {
    if (arg.from === 'return') {
      return returns === undefined ? undefined : readArgument(sink, fieldPath(path, 'returns'), arg, returns);
    }
    const given = named.findLast((value) => positionOf(hook, value.name) === position);
    return given === undefined ? undefined : (readArgument(sink, `${path}.${given.path}`, arg, given.words) ?? { kind: 'unknown' });
  });
  const compared = new Set([...comparedPositions(hook, 'entry'), ...comparedPositions(hook, 'return')]);
  for (const position of compared) {
    if (args[position] === undefined) tellMissing(sink, path, policy, hook, position);
  }
  return { args: args.map((value) => value ?? { kind: 'unknown' }), process };
}

function tellMissing(sink: ProblemSink, path: string, policy: TestedPolicy, hook: PlanHook, position: number): void {
  const isReturn = hook.args[position]?.from === 'return';
  const name = isReturn ? 'the return value' : `argument ${shortestName(hook, position)} (${hook.args[position]?.type ?? ''})`;
  const at = fieldPath(path, isReturn ? 'returns' : 'args');
  const place = `${hook.path}.${placeOf(hook, position)}`;
  const key = shortestName(hook, position);
  const example = key === '0' ? 'args: [ … ]' : `args: { ${/^[\w-]+$/.test(key) ? key : quote(key)}: … }`;
  const hint = `say it${isReturn ? '' : `, for example "${example}"`}, or write unknown`;
  sink.error('NotGiven', at, `${policy.name} compares ${name} (${place}), and the case does not say it`, hint);
}
