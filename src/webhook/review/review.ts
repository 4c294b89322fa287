import { isDeepStrictEqual } from 'node:util';
import { compile } from '../../policy/compile.ts';
import { parse } from '../../policy/parse.ts';
import { isDeeperThan, isJsonObject, MAX_DEPTH } from '../../policy/plain-json.ts';
import type { Problem } from '../../policy/problem.ts';
import { checkFleet } from '../fleet/check-fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { AdmissionRequest, AdmissionResponse } from './admission-review.ts';
import { causesOf, findingOfFleet, findingOfProblem, refusalMessage, warningLines, type Finding } from './messages.ts';

/** What the decision depends on besides the request. */
export type ReviewContext = {
  /** Null: the hub has told nothing yet. */
  readonly fleet: Fleet | null;
  /** Monotonic; only for the age of the facts. */
  readonly nowMs: number;
};

/** The response, and which rules spoke, for the metrics. */
export type Review = { readonly response: AdmissionResponse; readonly rules: readonly string[] };

const GROUP = 'cilium.io';

/**
 * Decides about one admission request (control-plane 4.4). Pure: the same request and fleet give the same answer.
 *
 * An unchanged spec is allowed before it is looked at, so that labels and finalizers of an object that is no longer valid can change.
 */
export function review(request: AdmissionRequest, context: ReviewContext): Review {
  if (!isOurs(request) || isUnchanged(request) || isBeingDeleted(request.object)) {
    return allow(request, [], {});
  }
  const policy = parse(request.object);
  if (!policy.ok) {
    return refuse(request, policy.problems.map(findingOfProblem));
  }
  const compiled = compile(policy.value);
  if (!compiled.ok) {
    return refuse(request, compiled.problems.filter(isError).map(findingOfProblem));
  }
  const fleet = checkFleet(compiled.value, context.fleet, context.nowMs);
  const refusals = fleet.filter((problem) => problem.severity === 'refusal');
  if (refusals.length > 0) {
    return refuse(request, refusals.map(findingOfFleet));
  }
  const findings = [...policy.warnings, ...compiled.warnings].map(findingOfProblem).concat(fleet.map(findingOfFleet));
  return allow(request, findings, { digest: compiled.value.digest });
}

function isOurs(request: AdmissionRequest): boolean {
  const isWrite = request.operation === 'CREATE' || request.operation === 'UPDATE';
  return isWrite && request.kind.group === GROUP && (request.subResource ?? '') === '';
}

/** True for changes of metadata alone. */
function isUnchanged(request: AdmissionRequest): boolean {
  const { object, oldObject } = request;
  return (
    request.operation === 'UPDATE' &&
    isJsonObject(object) &&
    isJsonObject(oldObject) &&
    // Comparing takes as much stack as the spec is deep.
    !isDeeperThan(object['spec'], MAX_DEPTH) &&
    isDeepStrictEqual(object['spec'], oldObject['spec'])
  );
}

function isBeingDeleted(object: unknown): boolean {
  return isJsonObject(object) && isJsonObject(object['metadata']) && typeof object['metadata']['deletionTimestamp'] === 'string';
}

function isError(problem: Problem): boolean {
  return problem.severity === 'error';
}

function allow(request: AdmissionRequest, findings: readonly Finding[], annotations: Readonly<Record<string, string>>): Review {
  const warnings = warningLines(findings);
  return {
    response: {
      uid: request.uid,
      allowed: true,
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: { decision: 'allowed', ...annotations },
    },
    rules: findings.map((finding) => finding.rule),
  };
}

function refuse(request: AdmissionRequest, findings: readonly Finding[]): Review {
  return {
    response: {
      uid: request.uid,
      allowed: false,
      status: {
        code: 422,
        reason: 'Invalid',
        message: refusalMessage(findings),
        details: { group: request.kind.group, kind: request.kind.kind, name: request.name ?? '', causes: causesOf(findings) },
      },
      auditAnnotations: { decision: 'refused' },
    },
    rules: findings.map((finding) => finding.rule),
  };
}
