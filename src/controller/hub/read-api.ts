import type { AccessReviewer, PolicyVerb } from './access-review.ts';
import { HubRefusal } from './hub-error.ts';
import type { TeardownState } from './teardown.ts';
import { bearerToken } from './token-cache.ts';

/** What one node says about one policy. */
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
  /** The body of the answer, JSON in pieces that are made as they are asked for; rejects with a `HubRefusal`. */
  answer(method: string, path: string, authorization: string | undefined): Promise<Iterable<string>>;
};

export type ReadApiOptions = {
  readonly reviewer: AccessReviewer;
  policies(): Iterable<PolicyOverview>;
  teardownState(): TeardownState;
  startTeardown(): void;
};

/** Callers whose rights are being asked for; each costs the API server up to three requests, whoever they are. */
const MAX_REVIEWS = 16;

export function createReadApi(options: ReadApiOptions): ReadApi {
  const { reviewer } = options;
  const routes: Readonly<Record<string, { readonly verb: PolicyVerb; readonly run: () => Iterable<string> }>> = {
    'GET /v1/policies': { verb: 'get', run: () => policiesText(options.policies()) },
    'GET /v1/teardown': { verb: 'get', run: () => [JSON.stringify(options.teardownState())] },
    'POST /v1/teardown': {
      verb: 'delete',
      run: () => {
        options.startTeardown();
        return [JSON.stringify(options.teardownState())];
      },
    },
  };
  let reviews = 0;

  const allow = async (verb: PolicyVerb, token: string): Promise<void> => {
    const outcome = await reviewer.reviewPerson(token);
    if (!outcome.isAuthenticated) {
      throw new HubRefusal('NotAuthenticated', `the token is not valid: ${outcome.error}`);
    }
    if (!(await reviewer.mayOnPolicies(outcome.caller, verb))) {
      throw new HubRefusal('Forbidden', `${outcome.caller.username.slice(0, 200)} may not ${verb} tracingpolicies in the whole cluster`);
    }
  };

  return {
    answer: async (method, path, authorization) => {
      const route = Object.hasOwn(routes, `${method} ${path}`) ? routes[`${method} ${path}`] : undefined;
      if (route === undefined) {
        throw new HubRefusal('NotFound', `there are ${Object.keys(routes).join(', ')}`);
      }
      const token = bearerToken(authorization);
      if (reviews >= MAX_REVIEWS) {
        throw new HubRefusal('Busy', 'too many callers wait for the review of their tokens');
      }
      reviews += 1;
      try {
        await allow(route.verb, token);
      } finally {
        reviews -= 1;
      }
      return route.run();
    },
  };
}

function* policiesText(policies: Iterable<PolicyOverview>): Generator<string> {
  let separator = '{"policies":[';
  for (const policy of policies) {
    yield `${separator}${JSON.stringify(policy)}`;
    separator = ',';
  }
  yield separator === ',' ? ']}' : `${separator}]}`;
}
