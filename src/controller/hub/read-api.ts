import type { AccessReviewer, PolicyVerb } from './access-review.ts';
import { HubRefusal } from './hub-error.ts';
import type { TeardownState } from './teardown.ts';
import { bearerToken } from './token-cache.ts';

/** What one node says about one policy, for `palisade status`. */
export type PolicyOnNode = {
  readonly node: string;
  readonly kernel: string;
  readonly isConnected: boolean;
  /** What the node says, or `pending` (nothing yet), `loading` (not of this version), `withheld` (it has too many policies). */
  readonly state: string;
  readonly reason: string;
  readonly hook: string;
  readonly message: string;
  /** Distinct attach methods, joined by `+`. */
  readonly method: string;
  /** Effective mode: `enforce`, `monitor`, `off`. */
  readonly mode: string;
  /** Digest of what runs there; null: nothing. */
  readonly runs: string | null;
};

export type PolicyOverview = {
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly digest: string | null;
  readonly nodes: readonly PolicyOnNode[];
};

/**
 * `/v1/…` for people and tools, JSON. `Authorization: Bearer` with a token that the API server accepts, or one of audience `palisade-hub`;
 * what it allows is decided by RBAC:
 *   GET  /v1/policies   verb get on tracingpolicies       {policies: PolicyOverview[]}
 *   POST /v1/teardown   verb delete on tracingpolicies    TeardownState; begins, and may be repeated to see how far it is
 *   GET  /v1/teardown   verb get on tracingpolicies       TeardownState
 */
export type ReadApi = {
  /** The body of the answer; rejects with a `HubRefusal`. */
  answer(method: string, path: string, authorization: string | undefined): Promise<unknown>;
};

export type ReadApiOptions = {
  readonly reviewer: AccessReviewer;
  policies(): readonly PolicyOverview[];
  teardownState(): TeardownState;
  startTeardown(): void;
};

export function createReadApi(options: ReadApiOptions): ReadApi {
  const routes: Readonly<Record<string, { readonly verb: PolicyVerb; readonly run: () => unknown }>> = {
    'GET /v1/policies': { verb: 'get', run: () => ({ policies: options.policies() }) },
    'GET /v1/teardown': { verb: 'get', run: () => options.teardownState() },
    'POST /v1/teardown': {
      verb: 'delete',
      run: () => {
        options.startTeardown();
        return options.teardownState();
      },
    },
  };
  return {
    answer: async (method, path, authorization) => {
      const route = Object.hasOwn(routes, `${method} ${path}`) ? routes[`${method} ${path}`] : undefined;
      if (route === undefined) {
        throw new HubRefusal('NotFound', `there are ${Object.keys(routes).join(', ')}`);
      }
      const outcome = await options.reviewer.reviewPerson(bearerToken(authorization));
      if (!outcome.isAuthenticated) {
        throw new HubRefusal('NotAuthenticated', `the token is not valid: ${outcome.error}`);
      }
      if (!(await options.reviewer.mayOnPolicies(outcome.caller, route.verb))) {
        throw new HubRefusal(
          'Forbidden',
          `${outcome.caller.username.slice(0, 200)} may not ${route.verb} tracingpolicies in the whole cluster`,
        );
      }
      return route.run();
    },
  };
}
