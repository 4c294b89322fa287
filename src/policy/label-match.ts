import type { LabelRequirement, LabelSelector } from './plan.ts';

export type Labels = Readonly<Record<string, string>>;

/** Kubernetes' meaning: all requirements hold; NotIn and DoesNotExist hold for absent labels; an empty selector matches everything. */
export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  const equal = Object.entries(selector.matchLabels).every(([key, value]) => labelOf(labels, key) === value);
  return equal && selector.matchExpressions.every((requirement) => holds(requirement, labelOf(labels, requirement.key)));
}

function holds(requirement: LabelRequirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && requirement.values.includes(value);
    case 'NotIn':
      return value === undefined || !requirement.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Labels come from objects of tenants: `constructor` is a label only if it is their own. */
function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
