import type { ResourceType } from '../../kube/resource-type.ts';
import { GROUP, pluralOf, VERSION } from '../../policy/crd/custom-resource.ts';
import type { PolicyKind } from '../../policy/plan.ts';

export const POLICY_KINDS = ['TracingPolicy', 'TracingPolicyNamespaced'] as const satisfies readonly PolicyKind[];

/** Where the API server serves a kind of policy. */
export function policyType(kind: PolicyKind): ResourceType {
  return { group: GROUP, version: VERSION, plural: pluralOf(kind), kind, isNamespaced: kind === 'TracingPolicyNamespaced' };
}
