import { z } from 'zod';
import type { KubeTransport } from '../../kube/transport.ts';
import { HUB_AUDIENCE } from '../../protocol/hub-frames.ts';

/** Who a token belongs to, as the API server says. */
export type Caller = {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
};

export type ReviewOutcome =
  | { readonly isAuthenticated: true; readonly caller: Caller }
  | { readonly isAuthenticated: false; readonly error: string };

/** What someone wants to do with policies, in terms of RBAC. */
export type PolicyVerb = 'get' | 'delete';

/** What the hub asks the API server about callers. Failures of the calls are `KubeError`s. */
export type AccessReviewer = {
  /** Is this token good for the hub? */
  reviewForHub(token: string): Promise<ReviewOutcome>;
  /** Is this token good for the hub or for the API server itself? People have tokens of the second kind. */
  reviewPerson(token: string): Promise<ReviewOutcome>;
  /** Does RBAC let the caller do this with all TracingPolicies? */
  mayOnPolicies(caller: Caller, verb: PolicyVerb): Promise<boolean>;
};

const tokenReviewSchema = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    error: z.string().default(''),
    audiences: z.array(z.string()).default([]),
    user: z
      .object({
        username: z.string().default(''),
        uid: z.string().default(''),
        groups: z.array(z.string()).default([]),
        extra: z.record(z.string(), z.array(z.string())).default({}),
      })
      .prefault({}),
  }),
});
const accessReviewSchema = z.object({ status: z.object({ allowed: z.boolean().default(false) }) });

const TIMEOUT_MS = 10_000;

export function createAccessReviewer(transport: KubeTransport): AccessReviewer {
  const review = async (token: string, audiences: readonly string[] | null): Promise<ReviewOutcome> => {
    const answer = await transport.request({
      method: 'POST',
      verb: 'create',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, ...(audiences === null ? {} : { audiences }) },
      },
      timeoutMs: TIMEOUT_MS,
    });
    const { authenticated, error, audiences: echoed, user } = tokenReviewSchema.parse(answer).status;
    if (!authenticated) {
      return { isAuthenticated: false, error: error.slice(0, 200) };
    }
    // An API server that does not know audiences answers without them: the token may be meant for anybody.
    if (audiences !== null && !audiences.some((audience) => echoed.includes(audience))) {
      return { isAuthenticated: false, error: `the token is not for audience ${audiences.join(', ')}` };
    }
    return { isAuthenticated: true, caller: user };
  };

  return {
    reviewForHub: (token) => review(token, [HUB_AUDIENCE]),
    reviewPerson: async (token) => {
      const forHub = await review(token, [HUB_AUDIENCE]);
      return forHub.isAuthenticated ? forHub : review(token, null);
    },
    mayOnPolicies: async (caller, verb) => {
      const answer = await transport.request({
        method: 'POST',
        verb: 'create',
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: {
            user: caller.username,
            uid: caller.uid,
            groups: caller.groups,
            extra: caller.extra,
            resourceAttributes: { group: 'cilium.io', version: 'v1alpha1', resource: 'tracingpolicies', verb },
          },
        },
        timeoutMs: TIMEOUT_MS,
      });
      return accessReviewSchema.parse(answer).status.allowed;
    },
  };
}
