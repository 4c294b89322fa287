import type { KubeObject } from '../../kube/kube-object.ts';
import type { PolicyKind } from '../../policy/plan.ts';
import { policyStatus, type PolicyStatus } from '../../policy/schema/status.ts';

/** A policy object as the controller keeps it. */
export type PolicyItem = {
  readonly key: string;
  readonly kind: PolicyKind;
  readonly namespace: string | null;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** Wall clock of the API server, whole seconds; 0: not said. */
  readonly createdMs: number;
  readonly resourceVersion: string;
  readonly isDeleting: boolean;
  /** For `parse`: without status, managed fields and whatever else is not the policy's text. */
  readonly object: object;
  /** As stored; null: none, or none that can be read. */
  readonly status: PolicyStatus | null;
};

/** `policy/<kind>/<namespace>/<name>`: the only keys that lead to a status. The namespace of cluster-wide policies is empty. */
export function policyKey(kind: PolicyKind, namespace: string | null, name: string): string {
  return `policy/${kind}/${namespace ?? ''}/${name}`;
}

/** The name people use: `namespace/name`, or `name`. */
export function displayName(item: { readonly namespace: string | null; readonly name: string }): string {
  return item.namespace === null ? item.name : `${item.namespace}/${item.name}`;
}

export function projectPolicy(kind: PolicyKind, object: KubeObject): PolicyItem {
  const { metadata } = object;
  const namespace = metadata.namespace ?? null;
  const status = policyStatus.safeParse(object['status']);
  const createdMs = Date.parse(metadata.creationTimestamp ?? '');
  return {
    key: policyKey(kind, namespace, metadata.name),
    kind,
    namespace,
    name: metadata.name,
    uid: metadata.uid,
    generation: metadata.generation ?? 0,
    createdMs: Number.isNaN(createdMs) ? 0 : createdMs,
    resourceVersion: metadata.resourceVersion,
    isDeleting: metadata.deletionTimestamp !== undefined,
    object: {
      apiVersion: 'cilium.io/v1alpha1',
      kind,
      metadata: {
        name: metadata.name,
        ...(namespace === null ? {} : { namespace }),
        uid: metadata.uid,
        generation: metadata.generation,
      },
      spec: object['spec'],
    },
    status: status.success ? status.data : null,
  };
}
