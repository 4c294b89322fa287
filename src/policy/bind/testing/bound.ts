import { bind } from '../../bind.ts';
import type { Plan, PlanHook, PolicyMode } from '../../plan.ts';
import { type RecordedKernel, readRecorded } from '../../testing/recorded-kernels.ts';
import type { BoundHook } from '../bound-hook.ts';
import { planOf } from './plans.ts';

/** What is said of one hook on a recorded kernel. */
export function bound(
  hook: PlanHook,
  name: RecordedKernel = '6.12',
  options: Partial<Plan['options']> = {},
  mode: PolicyMode = 'enforce',
): BoundHook {
  const [first] = bind(planOf(hook, {}, options), readRecorded(name), mode);
  if (first === undefined) throw new Error('nothing was bound');
  return first;
}
