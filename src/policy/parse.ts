import type { Outcome, Policy } from './policy.ts';
import type { PolicyKind } from './plan.ts';
import { type JsonObject, MAX_DEPTH, hiddenMembers, isDeeperThan, isJsonObject, withoutNulls } from './plain-json.ts';
import { type ProblemSink, createProblemSink, fieldPath, quote } from './problem.ts';
import { isNamespaceName, isObjectName } from './names.ts';
import { didYouMean } from './nearest.ts';
import { tracingPolicySpec } from './schema/spec.ts';
import { addShapeProblems, pathText } from './shape-problems.ts';
import { problemsOfRest } from './partial/problems-of-rest.ts';

export const API_VERSION = 'cilium.io/v1alpha1';
const TOP_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

/**
 * Reads an object from the API server, an admission request or a file. Strict: unknown fields are problems. All problems at once: if the
 * shape is wrong somewhere, also what `compile` has to say of the rest.
 */
export function parse(object: unknown): Outcome<Policy> {
  const sink = createProblemSink();
  if (!isJsonObject(object)) {
    sink.error('NotAnObject', 'policy', 'is not a Kubernetes object');
    return { ok: false, problems: sink.list() };
  }
  if (isDeeperThan(object, MAX_DEPTH)) {
    sink.error('TooDeep', 'policy', `is nested deeper than ${MAX_DEPTH} levels`);
    return { ok: false, problems: sink.list() };
  }
  const kind = readKind(object, sink);
  const identity = readIdentity(object['metadata'], kind, sink);
  for (const key of Object.keys(object).filter((name) => !TOP_FIELDS.includes(name))) {
    sink.error('UnknownField', fieldPath('', key), `unknown field ${quote(key)}`, didYouMean(key, TOP_FIELDS));
  }
  const input = withoutNulls(object['spec']);
  for (const path of hiddenMembers(input)) {
    sink.error('UnknownField', pathText('spec', path), 'nothing can have the name "__proto__"');
  }
  const spec = tracingPolicySpec.safeParse(input);
  if (!spec.success) {
    addShapeProblems(sink, 'spec', tracingPolicySpec, input, spec.error.issues);
  }
  if (spec.success && sink.list().length === 0) {
    return { ok: true, value: { ...identity, spec: spec.data }, warnings: [] };
  }
  // Nobody reads more than is there already.
  for (const problem of sink.isFull() ? [] : problemsOfRest(identity, input)) {
    sink.add(problem);
  }
  return { ok: false, problems: sink.list() };
}

function readKind(object: JsonObject, sink: ProblemSink): PolicyKind | undefined {
  const { apiVersion, kind } = object;
  if (apiVersion !== API_VERSION) {
    sink.error('UnknownKind', 'apiVersion', missingOr(apiVersion, 'is no version of policies'), `write ${API_VERSION}`);
  }
  if (kind === 'TracingPolicy' || kind === 'TracingPolicyNamespaced') {
    return kind;
  }
  sink.error('UnknownKind', 'kind', missingOr(kind, 'is no policy'), 'use TracingPolicy or TracingPolicyNamespaced');
  return undefined;
}

/** Of an object whose kind is not known, what does not depend on it. */
function readIdentity(given: unknown, kind: PolicyKind | undefined, sink: ProblemSink): Omit<Policy, 'spec'> {
  const metadata = isJsonObject(given) ? given : {};
  if (metadata === given) {
    checkName(metadata, sink);
    checkNamespace(metadata['namespace'], kind, sink);
  } else {
    sink.error('MissingField', 'metadata', 'is required');
  }
  const { name, namespace, uid, generation } = metadata;
  return {
    kind: kind ?? 'TracingPolicy',
    namespace: kind === 'TracingPolicyNamespaced' ? (typeof namespace === 'string' ? namespace : '') : null,
    name: typeof name === 'string' ? name : '',
    uid: typeof uid === 'string' ? uid : '',
    generation: typeof generation === 'number' && Number.isSafeInteger(generation) ? generation : 0,
  };
}

function checkName({ name, generateName }: JsonObject, sink: ProblemSink): void {
  if (typeof name === 'string' && isObjectName(name)) {
    return;
  }
  // An object that is created with generateName has no name yet when admission sees it.
  if (name !== undefined || typeof generateName !== 'string') {
    const isUnquoted = typeof name === 'number' || typeof name === 'boolean';
    const hint = isUnquoted ? 'put it in quotes' : 'use lower-case letters, digits, "-" and "."';
    sink.error('BadName', 'metadata.name', missingOr(name, 'is no name'), hint);
  }
}

function checkNamespace(namespace: unknown, kind: PolicyKind | undefined, sink: ProblemSink): void {
  if (kind === 'TracingPolicyNamespaced' && (typeof namespace !== 'string' || !isNamespaceName(namespace))) {
    sink.error('BadName', 'metadata.namespace', 'a TracingPolicyNamespaced needs the name of its namespace');
  }
  if (kind === 'TracingPolicy' && namespace !== undefined && namespace !== null && namespace !== '') {
    sink.error('BadName', 'metadata.namespace', 'a TracingPolicy has none', 'use TracingPolicyNamespaced');
  }
}

function missingOr(value: unknown, what: string): string {
  return value === undefined ? 'is missing' : `${quote(value)} ${what}`;
}
