import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../../telemetry/testing/fake-clock.ts';
import { createFleetMemory } from '../fleet/fleet-memory.ts';
import { BUILD_NEW, BUILD_OLD, buildFrame, kernelNames, nodes } from '../testing/kernels.ts';
import { goodPolicy, watching } from '../testing/policies.ts';
import { admissionRequestSchema, type AdmissionRequest } from './admission-review.ts';
import { MAX_WARNING_CHARS } from './messages.ts';
import { review, type Review, type ReviewContext } from './review.ts';

const clock = createFakeClock();

/** Two nodes with a 6.1 kernel, eight with 6.12, and only the latter know tcp_connect. */
function mixedFleet(): ReviewContext {
  const memory = createFleetMemory(clock);
  memory.apply(buildFrame(BUILD_OLD));
  memory.apply(buildFrame(BUILD_NEW));
  memory.applyNames(BUILD_OLD, kernelNames({ functions: ['security_file_open'] }));
  memory.applyNames(BUILD_NEW, kernelNames());
  memory.apply({ t: 'nodes', full: true, put: [...nodes('old', 2, { build: BUILD_OLD, labels: { pool: 'old' } }), ...nodes('new', 8)] });
  memory.apply({ t: 'ready' });
  return { fleet: memory.view(), nowMs: clock.monotonicMs() };
}

const unknownFleet: ReviewContext = { fleet: null, nowMs: 0 };

function request(object: unknown, changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return admissionRequestSchema.parse({
    uid: 'r1',
    kind: { group: 'cilium.io', version: 'v1alpha1', kind: 'TracingPolicy' },
    name: 'guard',
    operation: 'CREATE',
    object,
    ...changes,
  });
}

const refusalOf = (outcome: Review): string => (outcome.response.allowed ? 'ALLOWED' : (outcome.response.status?.message ?? ''));

describe('a policy that is right', () => {
  test('is allowed, and the audit log gets the digest of its plan', () => {
    const { response } = review(request(goodPolicy()), mixedFleet());
    expect(response).toMatchObject({ uid: 'r1', allowed: true, auditAnnotations: { decision: 'allowed' } });
    expect(response.auditAnnotations?.['digest']).toMatch(/^[0-9a-f]{64}$/);
    expect(response.warnings).toBeUndefined();
  });

  test('is allowed with one warning while nothing is known of the kernels', () => {
    const { response } = review(request(goodPolicy()), unknownFleet);
    expect(response.allowed).toBe(true);
    expect(response.warnings).toEqual(['spec: kernel checks skipped: nothing recent is known of the nodes']);
  });
});

describe('a policy that is right and dangerous', () => {
  test('is allowed with a warning that says what would be right', () => {
    const { response } = review(request(goodPolicy({ podSelector: undefined })), mixedFleet());
    expect(response).toMatchObject({
      allowed: true,
      warnings: [
        'spec.lsmhooks[0].selectors[0]: enforces in every process of every node, the host and kube-system too; add "podSelector: {}" (all pods, no host process), or try it with policy-mode monitor',
      ],
    });
  });

  test('gets a few warnings of what a person reads, however many there are', () => {
    const kprobes = Array.from({ length: 50 }, (_, at) => ({ call: `internal_${at}_${'x'.repeat(100)}`, syscall: false }));
    const { warnings = [] } = review(request({ ...goodPolicy(), spec: { kprobes } }), unknownFleet).response;
    expect(warnings.length).toBeLessThanOrEqual(6);
    expect(warnings.every((line) => line.length <= MAX_WARNING_CHARS)).toBe(true);
    expect(warnings.at(-1)).toMatch(/^and \d+ more$/);
  });
});

describe('a policy that is wrong', () => {
  test('is refused with the field, what is wrong, and what would be right', () => {
    const outcome = review(request({ ...goodPolicy(), spec: { kprobs: [] } }), unknownFleet);
    expect(refusalOf(outcome)).toMatch(/^spec\.kprobs: unknown field "kprobs"; did you mean "kprobes"\?/);
    expect(outcome.response.status).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(outcome.response.status?.details?.causes[0]).toMatchObject({ reason: 'UnknownField', field: 'spec.kprobs' });
    expect(outcome.rules).toContain('UnknownField');
  });

  test('is refused when it compiles to nothing', () => {
    expect(refusalOf(review(request({ ...goodPolicy(), spec: {} }), unknownFleet))).toMatch(/^spec: watches nothing.*\[NoHooks\]$/);
  });

  test('never makes an answer of any size', () => {
    const spec = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${index}${'x'.repeat(1_000)}`, 1]));
    const outcome = review(request({ ...goodPolicy(), spec }), unknownFleet);
    expect(JSON.stringify(outcome.response).length).toBeLessThan(32_768);
    expect(refusalOf(outcome)).toContain('more problems');
  });

  test.each([[null], [42], [[]], ['text'], [{}], [{ spec: null }]])('that is %j is refused and not a crash', (object) => {
    expect(review(request(object), unknownFleet).response.allowed).toBe(false);
  });
});

test('a spec that is nested thousands of levels deep is refused for that, also where it is compared with an equal one', () => {
  const spec = (): unknown => JSON.parse(`${'['.repeat(9_000)}${']'.repeat(9_000)}`);
  const object = (): object => ({ ...goodPolicy(), spec: spec() });
  const update = { ...request(object()), operation: 'UPDATE' as const, oldObject: object() };
  expect(refusalOf(review(update, unknownFleet))).toContain('nested deeper than 64 levels');
});

describe('what is not asked about', () => {
  test('an update that leaves the spec alone is allowed, even if the spec is not valid any more', () => {
    const object = { ...goodPolicy(), spec: { nonsense: true } };
    const labelled = { ...object, metadata: { name: 'guard', labels: { a: 'b' } } };
    expect(review(request(labelled, { operation: 'UPDATE', oldObject: object }), unknownFleet).response.allowed).toBe(true);
  });

  test('an object that is being deleted is let go', () => {
    const object = { ...goodPolicy(), metadata: { name: 'guard', deletionTimestamp: '2026-01-01T00:00:00Z' }, spec: {} };
    expect(review(request(object, { operation: 'UPDATE', oldObject: goodPolicy() }), unknownFleet).response.allowed).toBe(true);
  });

  test('deletions, other groups and subresources are allowed', () => {
    expect(review(request(undefined, { operation: 'DELETE' }), unknownFleet).response.allowed).toBe(true);
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
    expect(review(request({}, { kind }), unknownFleet).response.allowed).toBe(true);
    expect(review(request({}, { subResource: 'status' }), unknownFleet).response.allowed).toBe(true);
  });
});

describe('against the kernels of the fleet', () => {
  test('a function that no node has is refused, with the nearest name and how much is known', () => {
    expect(refusalOf(review(request(watching('security_file_opn')), mixedFleet()))).toBe(
      'spec.kprobes[0].call: no node has function "security_file_opn" (2 kernel builds, facts 0 s old); did you mean "security_file_open"? [FunctionNotFound]',
    );
  });

  test('a system call is suggested as a policy writes it', () => {
    const policy = { ...goodPolicy(), spec: { kprobes: [{ call: 'sys_opnat', syscall: true }] } };
    expect(refusalOf(review(request(policy), mixedFleet()))).toContain('did you mean "sys_openat"?');
  });

  test('an LSM hook and a tracepoint that no node has are refused', () => {
    const lsm = { ...goodPolicy(), spec: { lsmhooks: [{ hook: 'file_opn' }] } };
    expect(refusalOf(review(request(lsm), mixedFleet()))).toContain('spec.lsmhooks[0].hook: no node has LSM hook "file_opn"');
    const tracepoint = { ...goodPolicy(), spec: { tracepoints: [{ subsystem: 'sched', event: 'sched_process_exe' }] } };
    expect(refusalOf(review(request(tracepoint), mixedFleet()))).toContain('did you mean "sched/sched_process_exec"?');
  });

  test('a function that some nodes lack is a warning that counts them', () => {
    const { response } = review(request(watching('tcp_connect')), mixedFleet());
    expect(response.allowed).toBe(true);
    expect(response.warnings?.[0]).toContain('"tcp_connect" does not exist on 2 of 10 nodes (kernel 6.1.0-44-amd64)');
    expect(response.warnings?.[0]?.length).toBeLessThanOrEqual(MAX_WARNING_CHARS);
  });

  test('only the nodes that the policy selects count', () => {
    const old = { nodeSelector: { matchLabels: { pool: 'old' } } };
    expect(refusalOf(review(request(watching('tcp_connect', old)), mixedFleet()))).toContain('1 kernel build');
    const none = { nodeSelector: { matchLabels: { pool: 'nowhere' } } };
    const { response } = review(request(watching('tcp_connect', none)), mixedFleet());
    expect(response).toMatchObject({ allowed: true, warnings: ['spec.nodeSelector: fits none of the 10 nodes that have an agent'] });
  });

  test('a deny that no kernel can give is refused with the reason and the remedy', () => {
    const memory = createFleetMemory(clock);
    memory.apply(buildFrame(BUILD_NEW, { lsm: ['capability'], preempt: 'full' }));
    memory.applyNames(BUILD_NEW, kernelNames());
    memory.apply({ t: 'nodes', full: true, put: nodes('n', 1) });
    memory.apply({ t: 'ready' });
    const text = refusalOf(review(request(goodPolicy()), { fleet: memory.view(), nowMs: clock.monotonicMs() }));
    expect(text).toMatch(/^spec\.lsmhooks\[0\]: no node can load this hook \(1 kernel build, facts 0 s old\): .*boot with lsm=/);
  });
});
