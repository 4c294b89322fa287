import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import type { LabelSelector, PlanScope } from '../plan.ts';
import { isTextSet, namespaceName, text } from './values.ts';

const value = text(LIMITS.containerValueBytes);

const requirement = z
  .strictObject({
    key: text(LIMITS.labelKeyChars).min(1),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
    values: z.array(value).max(LIMITS.valuesPerFilter),
  })
  .refine(({ operator, values }) => (operator === 'In' || operator === 'NotIn') === values.length > 0 && isTextSet(values), 'values');

export const labelSelector: z.ZodType<LabelSelector> = z.strictObject({
  matchLabels: z.record(text(LIMITS.labelKeyChars).min(1), value),
  matchExpressions: z.array(requirement).refine((all) => {
    const order = all.map((each) => JSON.stringify([each.key, each.operator, each.values]));
    return order.every((each, index) => index === 0 || (order[index - 1] ?? '') <= each);
  }, 'not sorted'),
});

const workloadShape = {
  podSelector: labelSelector.nullable(),
  containerSelector: labelSelector.exactOptional(),
  host: z.enum(['also', 'only']).exactOptional(),
};

type Workload = Omit<PlanScope, 'namespace'>;

export const scope = z.strictObject({ namespace: namespaceName.nullable(), ...workloadShape }).refine(isNormal, 'not in normal form');

/** Of a selector: it narrows, so it says something. */
export const workload = z.strictObject(workloadShape).refine((value_) => isNormal(value_) && !isEverything(value_), 'not in normal form');

/** Nothing is left out. */
export function isEverything(value_: Workload): boolean {
  return value_.podSelector === null && value_.containerSelector === undefined && value_.host === undefined;
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;
}

/** As `compile` writes it: no other spelling of the same processes. */
function isNormal({ podSelector, containerSelector, host }: Workload): boolean {
  const anyPod = podSelector === null || isEmpty(podSelector);
  if (containerSelector !== undefined) {
    return !isEmpty(containerSelector) && !(podSelector !== null && anyPod) && host !== 'only';
  }
  return host === undefined || (host === 'only' ? podSelector === null : !anyPod);
}
