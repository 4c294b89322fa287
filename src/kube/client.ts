import { z } from 'zod';
import { KubeError } from './kube-error.ts';
import { parseList, parseObject, type KubeObject, type ListPage } from './kube-object.ts';
import {
  apiVersionOf,
  collectionPath,
  objectPath,
  SERVICE_ACCOUNTS,
  TOKEN_REVIEWS,
  type ObjectRef,
  type ResourceType,
  type Subresource,
} from './resource-type.ts';
import type { KubeTransport } from './transport.ts';
import { readWatch, type WatchEvent } from './watch-stream.ts';

export type CallOptions = { readonly signal?: AbortSignal; readonly timeoutMs?: number };

/** Which objects of a kind; null namespace: all. */
export type Selection = {
  readonly namespace: string | null;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** `metadata`: the server sends PartialObjectMetadata, without spec and status. `object` by default. */
  readonly content?: 'object' | 'metadata';
};

export type ListOptions = CallOptions & {
  readonly limit?: number;
  readonly continueToken?: string;
};

export type WatchOptions = {
  readonly resourceVersion: string;
  /** After which the server ends the watch. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
};

export type ApplyOptions = CallOptions & {
  /** Who owns the fields: one name per writer. Conflicts with other managers are taken over. */
  readonly fieldManager: string;
  readonly subresource?: Subresource;
};

export type PatchOptions = CallOptions & { readonly fieldManager: string; readonly subresource?: Subresource };

export type DeleteOptions = CallOptions & { readonly uid?: string; readonly resourceVersion?: string };

export type TokenReview = {
  readonly isAuthenticated: boolean;
  readonly username: string;
  readonly audiences: readonly string[];
  /** `authentication.kubernetes.io/node-name` and others. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** Why not; empty if authenticated. */
  readonly error: string;
};

/** The calls of the Kubernetes API that Palisade makes. All failures are `KubeError`s; nothing is retried here. */
export type KubeClient = {
  get(type: ResourceType, ref: ObjectRef, options?: CallOptions): Promise<KubeObject>;
  /** One page. */
  list(type: ResourceType, selection: Selection, options?: ListOptions): Promise<ListPage>;
  watch(type: ResourceType, selection: Selection, options: WatchOptions): Promise<AsyncIterable<WatchEvent>>;
  create(type: ResourceType, namespace: string | null, object: object, options?: CallOptions): Promise<KubeObject>;
  /**
   * Server-side apply, taking over conflicts. A `metadata.resourceVersion` in the object is a precondition: KubeError `Conflict` if the
   * object changed (control-plane 2.4).
   */
  apply(type: ResourceType, ref: ObjectRef, object: object, options: ApplyOptions): Promise<KubeObject>;
  /** JSON merge patch; a `metadata.resourceVersion` in it is a precondition. */
  mergePatch(type: ResourceType, ref: ObjectRef, patch: object, options: PatchOptions): Promise<KubeObject>;
  /** Replaces the object; its `metadata.resourceVersion` is a precondition. */
  replace(type: ResourceType, ref: ObjectRef, object: object, options?: CallOptions): Promise<KubeObject>;
  remove(type: ResourceType, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  reviewToken(token: string, audiences: readonly string[], options?: CallOptions): Promise<TokenReview>;
  requestToken(
    serviceAccount: ObjectRef,
    audiences: readonly string[],
    expirationSeconds: number,
    options?: CallOptions,
  ): Promise<IssuedToken>;
};

export type IssuedToken = { readonly token: string; readonly expiresAtMs: number };

const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const METADATA_ITEM = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const APPLY_PATCH = 'application/apply-patch+yaml';
const MERGE_PATCH = 'application/merge-patch+json';

export function createKubeClient(transport: KubeTransport): KubeClient {
  return {
    get: async (type, ref, options = {}) =>
      parseObject(await transport.request({ method: 'GET', verb: 'get', path: objectPath(type, ref), ...options })),

    list: async (type, selection, options = {}) =>
      parseList(
        await transport.request({
          method: 'GET',
          verb: 'list',
          path: collectionPath(type, selection.namespace),
          query: {
            ...selectorsOf(selection),
            limit: options.limit === undefined ? undefined : String(options.limit),
            continue: options.continueToken,
          },
          accept: selection.content === 'metadata' ? METADATA_LIST : 'application/json',
          ...callOf(options),
        }),
      ),

    watch: async (type, selection, options) =>
      readWatch(
        await transport.stream({
          method: 'GET',
          verb: 'watch',
          path: collectionPath(type, selection.namespace),
          query: {
            ...selectorsOf(selection),
            watch: '1',
            allowWatchBookmarks: 'true',
            resourceVersion: options.resourceVersion,
            timeoutSeconds: String(options.timeoutSeconds),
          },
          accept: selection.content === 'metadata' ? METADATA_ITEM : 'application/json',
          signal: options.signal,
        }),
      ),

    create: async (type, namespace, object, options = {}) =>
      parseObject(
        await transport.request({
          method: 'POST',
          verb: 'create',
          path: collectionPath(type, namespace),
          body: typed(type, object),
          ...options,
        }),
      ),

    apply: async (type, ref, object, options) =>
      parseObject(
        await transport.request({
          method: 'PATCH',
          verb: 'apply',
          path: objectPath(type, ref, options.subresource),
          query: { fieldManager: options.fieldManager, force: 'true' },
          contentType: APPLY_PATCH,
          body: typed(type, object),
          ...callOf(options),
        }),
      ),

    mergePatch: async (type, ref, patch, options) =>
      parseObject(
        await transport.request({
          method: 'PATCH',
          verb: 'patch',
          path: objectPath(type, ref, options.subresource),
          query: { fieldManager: options.fieldManager },
          contentType: MERGE_PATCH,
          body: patch,
          ...callOf(options),
        }),
      ),

    replace: async (type, ref, object, options = {}) =>
      parseObject(
        await transport.request({ method: 'PUT', verb: 'update', path: objectPath(type, ref), body: typed(type, object), ...options }),
      ),

    remove: async (type, ref, options = {}) => {
      const preconditions = { uid: options.uid, resourceVersion: options.resourceVersion };
      await transport.request({
        method: 'DELETE',
        verb: 'delete',
        path: objectPath(type, ref),
        body: { preconditions },
        ...callOf(options),
      });
    },

    reviewToken: async (token, audiences, options = {}) =>
      parseReview(
        await transport.request({
          method: 'POST',
          verb: 'create',
          path: collectionPath(TOKEN_REVIEWS, null),
          body: typed(TOKEN_REVIEWS, { spec: { token, audiences } }),
          ...options,
        }),
      ),

    requestToken: async (serviceAccount, audiences, expirationSeconds, options = {}) =>
      parseIssued(
        await transport.request({
          method: 'POST',
          verb: 'create',
          path: objectPath(SERVICE_ACCOUNTS, serviceAccount, 'token'),
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences, expirationSeconds } },
          ...options,
        }),
      ),
  };
}

function typed(type: ResourceType, object: object): object {
  return { apiVersion: apiVersionOf(type), kind: type.kind, ...object };
}

function callOf(options: CallOptions): CallOptions {
  return {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
}

function selectorsOf(selection: Selection): Readonly<Record<string, string | undefined>> {
  return { labelSelector: selection.labelSelector, fieldSelector: selection.fieldSelector };
}

const reviewSchema = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    error: z.string().default(''),
    audiences: z.array(z.string()).default([]),
    user: z
      .object({ username: z.string().default(''), extra: z.record(z.string(), z.array(z.string())).default({}) })
      .default({ username: '', extra: {} }),
  }),
});

function parseReview(value: unknown): TokenReview {
  const result = reviewSchema.safeParse(value);
  if (!result.success) {
    throw new KubeError('Malformed', 'the API server answered a TokenReview without a valid status');
  }
  const { authenticated, error, audiences, user } = result.data.status;
  return { isAuthenticated: authenticated, username: user.username, audiences, extra: user.extra, error };
}

const issuedSchema = z.object({ status: z.object({ token: z.string().min(1), expirationTimestamp: z.iso.datetime() }) });

function parseIssued(value: unknown): IssuedToken {
  const result = issuedSchema.safeParse(value);
  if (!result.success) {
    throw new KubeError('Malformed', 'the API server answered a TokenRequest without a token');
  }
  return { token: result.data.status.token, expiresAtMs: Date.parse(result.data.status.expirationTimestamp) };
}
