import { compile } from '../compile.ts';
import type { Policy } from '../policy.ts';
import type { Problem } from '../problem.ts';
import { followUpsOf } from './follow-ups.ts';
import { repair } from './repair.ts';

/**
 * What `compile` finds in those parts of a policy whose shape is right, without what may come from the wrong ones alone: so that its author
 * learns of everything at once; warnings can wait. `spec` is one that has problems of shape already; it is changed.
 */
export function problemsOfRest(identity: Omit<Policy, 'spec'>, spec: unknown): readonly Problem[] {
  const repaired = repair(spec);
  if (repaired === null) return [];
  const compiled = compile({ ...identity, spec: repaired.spec });
  if (compiled.ok) return [];
  const isFollowUp = followUpsOf(repaired);
  return compiled.problems.filter((problem) => problem.severity === 'error' && !isFollowUp(problem));
}
