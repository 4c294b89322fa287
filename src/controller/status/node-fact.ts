import type { PolicyMode } from '../../policy/plan.ts';
import type { PolicyState } from '../../protocol/hub-frames.ts';

/** What the spec of a policy asks of every node that fits. */
export type Target = {
  readonly generation: number;
  /** Null: no version is known to be good; nodes keep what they run. */
  readonly digest: string | null;
  readonly mode: PolicyMode;
  /** The plan has an action that denies or kills. */
  readonly hasEnforcement: boolean;
};

/** What one node says about one policy, exceptions and what they leave unsaid put together. */
export type Cell = {
  readonly state: PolicyState;
  /** Empty: nothing to explain. */
  readonly reason: string;
  /** Digest of what runs; null: nothing. */
  readonly runs: string | null;
  readonly mode: PolicyMode | 'off';
  readonly hook: string;
  readonly method: string;
  readonly message: string;
  /** False: runs in enforce mode but can neither deny nor kill there. */
  readonly canEnforce: boolean;
  /** How long the node has been saying so. */
  readonly ageMs: number;
};

/** One node that has an agent and fits the policy's nodeSelector. */
export type NodeFact = {
  readonly name: string;
  /** `uname -r`; empty: not known. */
  readonly kernel: string;
  readonly reachable: boolean;
  /** A reason of blame `node` that takes the whole node out of the count, such as LoaderUnavailable. */
  readonly fault: string | null;
  /** A reason that is shown but changes nothing, such as CacheUnwritable. */
  readonly notice: string | null;
  /** So many policies fail here that failing is the node's fault. */
  readonly isFailingMost: boolean;
  /** How long the node has been expected to run this policy. */
  readonly expectedForMs: number;
  /** The node may not be given the policy: it has as many as it may have. */
  readonly isWithheld: boolean;
  /** The node has said that it holds the target. */
  readonly isDelivered: boolean;
  /** Null: it has never said anything about this policy. */
  readonly cell: Cell | null;
};
