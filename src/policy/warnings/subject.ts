import type { Plan } from '../plan.ts';
import type { Policy } from '../policy.ts';

/** A policy that compiled, and its plan. */
export type Subject = { readonly policy: Policy; readonly plan: Plan };
