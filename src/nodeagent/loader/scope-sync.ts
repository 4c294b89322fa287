/** Keeps the kernel's knowledge of pods and cgroups up to date, between generations and while one is being made. */
import type { NumberSpace } from '../../linker/allocation.ts';
import type { LinkPod } from '../../linker/link-input.ts';
import type { LinkedHook } from '../../linker/linked-node.ts';
import { assignClasses, type PodClasses } from '../../linker/pod-classes.ts';
import type { CgroupOwner } from '../identity/cgroup-index.ts';
import type { LoaderClient } from './loader-client.ts';
import { doubtfulState, EMPTY_SCOPE_STATE, scopeRequests, type ScopeState, scopeStateOf } from './scope-state.ts';

export type ScopeWish = { readonly pods: readonly LinkPod[]; readonly cgroups: readonly (readonly [bigint, CgroupOwner])[] };

export class ScopeSync {
  #wish: ScopeWish = { pods: [], cgroups: [] };
  #classes: PodClasses;
  #sent: ScopeState = EMPTY_SCOPE_STATE;
  #isDirty = true;

  constructor(space: NumberSpace) {
    this.#classes = assignClasses(space, []);
  }

  get classes(): PodClasses {
    return this.#classes;
  }

  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** Numbers are given out at once, so that a link made now knows them; the kernel learns them with the next `flush`. */
  want(wish: ScopeWish): void {
    this.#wish = wish;
    this.#classes = assignClasses(this.#classes.space, wish.pods);
    this.#isDirty = true;
  }

  /** A loader of which it is not known what it was told: everything is sent anew, and what is over by then is taken back. */
  forgetSent(): void {
    this.#sent = doubtfulState(this.#sent);
    this.#isDirty = true;
  }

  /** `active`: the hooks of the active generation, whose rows are changed in place. Returns how many requests were sent. */
  async flush(client: LoaderClient, active: readonly LinkedHook[]): Promise<number> {
    if (!this.#isDirty) return 0;
    // What is wanted while requests are under way makes it dirty again.
    this.#isDirty = false;
    const classes = this.#classes;
    const state = scopeStateOf(classes, this.#wish.cgroups);
    const requests = scopeRequests(this.#sent, state, active, classes);
    try {
      for (const request of requests) await client.send(request);
    } catch (error) {
      this.#sent = doubtfulState(this.#sent, state);
      this.#isDirty = true;
      throw error;
    }
    this.#sent = state;
    return requests.length;
  }
}
