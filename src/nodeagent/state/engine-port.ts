/** What the policy runner needs of the loader's side: make a set of plans active, all or nothing. */
import type { LinkPod, LinkPolicy } from '../../linker/link-input.ts';
import type { PlanFailure } from './choose-plans.ts';
import type { RunningPolicy } from './running.ts';

export type EngineResult =
  | { readonly ok: true; readonly running: ReadonlyMap<string, RunningPolicy> }
  | {
      readonly ok: false;
      /** Plans that cannot be part of it. Empty: no plan can be blamed. */
      readonly blamed: readonly { readonly uid: string; readonly failure: PlanFailure }[];
      /** Why, where no plan can be blamed. */
      readonly fault: PlanFailure | null;
    };

export type EnginePort = {
  /** The active generation is untouched unless the result is ok. */
  apply(policies: readonly LinkPolicy[], pods: readonly LinkPod[]): Promise<EngineResult>;
};
