import { z } from 'zod';
import { KubeError } from './kube-error.ts';

/** Metadata without `managedFields`, which is dropped on arrival: nobody here reads it, and it is half of a small object. */
export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
};

export type OwnerReference = { readonly kind: string; readonly name: string; readonly uid: string; readonly controller?: boolean };

/** An object as the API server gives it: metadata is checked, the rest is whatever its kind says and must be parsed by who uses it. */
export type KubeObject = { readonly metadata: ObjectMeta; readonly [field: string]: unknown };

const text = z.record(z.string(), z.string());
const metaSchema = z.object({
  name: z.string().min(1),
  namespace: z.string().exactOptional(),
  uid: z.string().default(''),
  resourceVersion: z.string().default(''),
  generation: z.int().exactOptional(),
  creationTimestamp: z.string().exactOptional(),
  deletionTimestamp: z.string().exactOptional(),
  labels: text.exactOptional(),
  annotations: text.exactOptional(),
  ownerReferences: z
    .array(z.object({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().exactOptional() }))
    .exactOptional(),
});
const objectSchema = z.looseObject({ metadata: metaSchema });

export function parseObject(value: unknown): KubeObject {
  const result = objectSchema.safeParse(value);
  if (!result.success) {
    throw new KubeError('Malformed', `the API server sent an object without valid metadata: ${result.error.issues[0]?.message ?? ''}`);
  }
  return result.data;
}

export type ListPage = {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Undefined on the last page. */
  readonly continueToken: string | undefined;
};

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullish(),
});

export function parseList(value: unknown): ListPage {
  const result = listSchema.safeParse(value);
  if (!result.success) {
    throw new KubeError('Malformed', `the API server sent no list: ${result.error.issues[0]?.message ?? ''}`);
  }
  const { metadata, items } = result.data;
  const continueToken = metadata.continue === '' ? undefined : metadata.continue;
  return { items: (items ?? []).map(parseObject), resourceVersion: metadata.resourceVersion, continueToken };
}

/** `namespace/name`, or `name` for cluster-scoped objects; what stores and queues go by. */
export function objectKey(meta: { readonly namespace?: string; readonly name: string }): string {
  return meta.namespace === undefined ? meta.name : `${meta.namespace}/${meta.name}`;
}

/** The only controller among the owners, if any. */
export function controllerOf(meta: ObjectMeta): OwnerReference | undefined {
  return meta.ownerReferences?.find((owner) => owner.controller === true);
}
