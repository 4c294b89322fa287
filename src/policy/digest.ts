import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { Plan } from './plan.ts';

/** 64 lower-case hexadecimal digits: sha256 of the plan's canonical JSON. */
export type PlanDigest = string;

/** The bytes that are stored, sent and hashed. */
export function serializePlan(plan: Plan): string {
  return canonicalJson(plan);
}

export function digestOfPlan(plan: Plan): PlanDigest {
  return digestOfPlanText(serializePlan(plan));
}

/** For those who hold the text: an agent checks what it was sent against the name it asked for. */
export function digestOfPlanText(text: string): PlanDigest {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
