import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAccess } from '../../src/kube/credentials.ts';
import { isKubeError } from '../../src/kube/kube-error.ts';
import { createTransport, type KubeTransport } from '../../src/kube/transport.ts';
import { GROUP, NAMESPACED_RULES, pluralOf, VERSION } from '../../src/policy/crd/custom-resource.ts';
import { readDocuments } from '../../src/policy/document/read-documents.ts';
import { parse } from '../../src/policy/parse.ts';
import { isJsonObject, valueAt, withoutNulls } from '../../src/policy/plain-json.ts';
import type { PolicyKind } from '../../src/policy/plan.ts';
import { POLICY_MODE, tracingPolicySpec } from '../../src/policy/schema/spec.ts';
import { mutate, mutation, ODD_VALUES } from '../../src/policy/testing/mutation.ts';
import { fieldCases, validValue } from '../../src/policy/testing/schema-arbitrary.ts';
import { systemClock } from '../../src/telemetry/clock.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { startApiServer, type ApiServer } from './api-server.ts';

/**
 * The schema in zod and the one in the API server are one schema: whatever is sent, both take it or both refuse it, and where both take
 * it they fill in the same defaults. Unknown fields aside: the API server keeps them, by design, for the webhook to refuse.
 */

type Document = { readonly kind: PolicyKind; readonly spec: unknown };
type Verdict = { readonly accepted: true; readonly spec: unknown } | { readonly accepted: false; readonly why: string };

const PARALLEL = 24;
const RANDOM_BATCHES = 200;
const KINDS: readonly PolicyKind[] = ['TracingPolicy', 'TracingPolicyNamespaced'];

let api: ApiServer;
let transport: KubeTransport;
const counts = { documents: 0, accepted: 0 };

beforeAll(async () => {
  api = await startApiServer();
  const access = loadAccess({ clock: systemClock, kubeconfigFile: api.controlPlane.kubeconfigFile });
  transport = createTransport({ access, clock: systemClock, metrics: createMetrics(), userAgent: 'palisade-test' });
}, 300_000);

afterAll(async () => {
  await transport?.close();
  await api?.stop();
});

const objectOf = ({ kind, spec }: Document): object => ({
  apiVersion: `${GROUP}/${VERSION}`,
  kind,
  metadata: { name: 'parity', ...(kind === 'TracingPolicyNamespaced' ? { namespace: 'default' } : {}) },
  spec,
});

async function create(document: Document): Promise<unknown> {
  const namespace = document.kind === 'TracingPolicyNamespaced' ? '/namespaces/default' : '';
  return transport.request({
    method: 'POST',
    path: `/apis/${GROUP}/${VERSION}${namespace}/${pluralOf(document.kind)}`,
    query: { dryRun: 'All', fieldValidation: 'Ignore' },
    body: objectOf(document),
    verb: 'create',
  });
}

async function verdictOfServer(document: Document): Promise<Verdict> {
  try {
    const stored = await create(document);
    return { accepted: true, spec: isJsonObject(stored) ? stored['spec'] : undefined };
  } catch (error) {
    if (isKubeError(error, 'Invalid', 'BadRequest')) return { accepted: false, why: error.message };
    throw error;
  }
}

/** Rules over several fields are only checked on objects without unknown fields: they must go first. */
function withoutUnknownFields(spec: unknown): unknown {
  const copy: unknown = structuredClone(spec);
  for (const issue of tracingPolicySpec.safeParse(copy).error?.issues ?? []) {
    const object = valueAt(copy, issue.path);
    if (issue.code !== 'unrecognized_keys' || typeof object !== 'object' || object === null) continue;
    for (const key of issue.keys) Reflect.deleteProperty(object, key);
  }
  return copy;
}

function verdictOfZod({ kind, spec }: Document): Verdict {
  const parsed = tracingPolicySpec.safeParse(withoutUnknownFields(withoutNulls(spec)));
  if (!parsed.success) return { accepted: false, why: parsed.error.message };
  const { data } = parsed;
  const broken = [
    ...(kind === 'TracingPolicyNamespaced' ? NAMESPACED_RULES.filter((rule) => !rule.holds({ spec: data })) : []),
    ...(data.options ?? []).flatMap((option) => (POLICY_MODE.holds(option) ? [] : [POLICY_MODE])),
  ];
  const [first] = broken;
  return first === undefined ? { accepted: true, spec: JSON.parse(JSON.stringify(data)) } : { accepted: false, why: first.message };
}

/** Sends all of them at once; fails with the first document that the two see differently. */
async function compare(documents: readonly Document[]): Promise<void> {
  const verdicts = await Promise.all(documents.map(verdictOfServer));
  for (const [index, document] of documents.entries()) {
    const server = verdicts[index];
    const zod = verdictOfZod(document);
    counts.documents += 1;
    counts.accepted += zod.accepted ? 1 : 0;
    if (server?.accepted !== zod.accepted) {
      throw new Error(`the two disagree on ${JSON.stringify(objectOf(document))}\n  server: ${said(server)}\n  zod: ${said(zod)}`);
    }
    if (server.accepted && zod.accepted) expect(withoutUnknownFields(withoutNulls(server.spec))).toEqual(zod.spec);
  }
}

const said = (verdict: Verdict | undefined): string => (verdict?.accepted === false ? verdict.why : 'accepts it');

async function compareInBatches(documents: readonly Document[]): Promise<void> {
  for (let from = 0; from < documents.length; from += PARALLEL) {
    await compare(documents.slice(from, from + PARALLEL));
  }
}

describe('zod and the API server', () => {
  const cases = fieldCases(tracingPolicySpec);

  test('agree on every field, with values that are odd for it', async () => {
    const documents = cases.flatMap(({ with: put }, index) =>
      [0, 1].map((turn): Document => {
        const value = ODD_VALUES[(index * 2 + turn + Math.floor(index / ODD_VALUES.length)) % ODD_VALUES.length];
        return { kind: KINDS[(index + turn) % 2] ?? 'TracingPolicy', spec: put(value) };
      }),
    );
    await compareInBatches(documents);
    process.stdout.write(`    · ${documents.length} documents, for ${cases.length} fields\n`);
  }, 180_000);

  test('agree on random policies, and on those with something changed', async () => {
    const before = { ...counts };
    const spec = validValue(tracingPolicySpec);
    const changed = fc
      .tuple(spec, fc.array(mutation, { maxLength: 2 }))
      .map(([value, mutations]) => mutations.reduce<unknown>((current, each) => mutate(current, each), value));
    const document = fc.record({ kind: fc.constantFrom(...KINDS), spec: changed });
    const batch = fc.array(document, { minLength: 1, maxLength: PARALLEL, size: 'max' });
    await fc.assert(fc.asyncProperty(batch, compare), { numRuns: RANDOM_BATCHES, endOnFailure: false });
    const count = counts.documents - before.documents;
    process.stdout.write(`    · ${count} documents, of which ${counts.accepted - before.accepted} were accepted\n`);
    expect(counts.documents).toBeGreaterThan(3_000);
  }, 180_000);

  test('differ in unknown fields alone: the server keeps them in every object, parse refuses them', async () => {
    const objects = cases.filter(
      (each) => typeof each.with({}) === 'object' && verdictOfZod({ kind: 'TracingPolicy', spec: each.with({}) }).accepted,
    );
    const documents = objects.map((each): Document => ({ kind: 'TracingPolicy', spec: each.with({ matchBinarys: ['x'] }) }));
    let kept = 0;
    for (let from = 0; from < documents.length; from += PARALLEL) {
      const part = documents.slice(from, from + PARALLEL);
      const verdicts = await Promise.all(part.map(verdictOfServer));
      for (const [index, document] of part.entries()) {
        const verdict = verdicts[index];
        const codes = new Set(((parsed) => (parsed.ok ? [] : parsed.problems.map((problem) => problem.code)))(parse(objectOf(document))));
        // In a map of names the field is one of them, and its value is of the wrong type.
        if (verdict?.accepted !== true) continue;
        kept += 1;
        expect([document, JSON.stringify(verdict.spec).includes('matchBinarys')]).toEqual([document, true]);
        expect([document, codes.has('UnknownField')]).toEqual([document, true]);
      }
    }
    process.stdout.write(`    · ${kept} objects\n`);
    expect(kept).toBeGreaterThan(20);
  }, 120_000);
});

describe('the definitions', () => {
  test('teach in kubectl explain', async () => {
    const text = await api.kubectl.run(['explain', 'tracingpolicy.spec.kprobes.selectors.matchArgs.operator']);
    process.stdout.write(`${text.slice(text.indexOf('DESCRIPTION')).trim().replaceAll(/^/gm, '    · ')}\n`);
    expect(text).toContain('Prefix');
    expect(text).toContain('How the value is compared');
  });

  test('let policies be chosen by their mode', async () => {
    await expect(api.kubectl.run(['get', 'tracingpolicies', '--field-selector=status.mode=Enforce'])).resolves.toBeDefined();
  });
});

describe('kubectl apply', () => {
  test('takes the definitions from the client side too, which keeps a copy in an annotation', async () => {
    const text = await api.kubectl.run(['apply', '-f', path.join(import.meta.dirname, '../../crds')]);
    expect(text).toContain('tracingpolicies.cilium.io configured');
    const annotations = await api.kubectl.run(['get', 'crd', '-o', 'jsonpath={.items[*].metadata.annotations}']);
    expect(annotations).toContain('last-applied-configuration');
  });
});

describe('a policy file', () => {
  /** Plain words, one a line; what infinity is cannot be said in JSON. */
  const words =
    `yes y On no n OFF true TRUE tRUE null ~ Null nil 0 -0 +5 5 0644 0o644 0O7 08 0b11 0B1 0x1F -0x1F 0x 0x1_F 1_000 1_ _1 00 1:30
    1e3 1E+3 0.1e-3 1. .5 -.5 . - 1.5.2 685_230.15 2001-01-01 2001-01-01T00:00:00Z = 9223372036854775808 18446744073709551616 0x8000000000000000
    !!str,5 'x' "x" "a\\x41" [a,yes] {a:,5} {"a":5} +.5 1e400 0xFFFFFFFFFFFFFFFFFF 0777777777777777777777777`
      .split(/\s+/)
      .map((word) => word.replaceAll(',', word.startsWith('[') ? ',' : ' '));
  const text = [
    'apiVersion: cilium.io/v1alpha1',
    'kind: TracingPolicy',
    'metadata: {name: yaml}',
    'spec:',
    '  base: &base {p: 1, q: 2}',
    '  merged: {<<: *base, q: 3}',
    '  both: {<<: [*base, {q: 9, r: 4}]}',
    '  keys: {1: a, on: c, 1.5: d, 0x10: e, -0: f}',
    '  folded: >-',
    '    a',
    '    b',
    '  alias: *base',
    '  words:',
    ...words.map((word) => `    - ${word}`),
    '',
  ].join('\n');

  test('means to us what it means to kubectl', async () => {
    const stored: unknown = JSON.parse(
      await api.kubectl.run(['create', '--dry-run=server', '--validate=false', '-o', 'json', '-f', '-'], text),
    );
    const { documents, problems } = readDocuments('f.yaml', Buffer.from(text));
    expect(problems).toEqual([]);
    expect(isJsonObject(documents[0]?.object) ? documents[0].object['spec'] : undefined).toEqual(
      isJsonObject(stored) ? stored['spec'] : null,
    );
  });
});
