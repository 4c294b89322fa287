/**
 * Makes sets of plans active in the kernel. One attempt at a time: link, send, flip, all or nothing. When an attempt fails it says whose
 * plan is to blame; what to try instead is for the caller to decide.
 */
import { type Allocation, mergeAllocations } from '../../linker/allocation.ts';
import { prototypeQueries } from '../../linker/hook-choice.ts';
import { link } from '../../linker/link.ts';
import type { LinkInput, LinkPod, LinkPolicy, UnusableMethod } from '../../linker/link-input.ts';
import type { LinkedHook, LinkedNode } from '../../linker/linked-node.ts';
import type { Prototype } from '../../linker/prototype.ts';
import type { KernelFacts } from '../../policy/kernel-facts.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Metrics, SECONDS_BUCKETS } from '../../telemetry/metrics.ts';
import type { Meanings } from '../events/meaning.ts';
import type { PlanFailure } from '../state/choose-plans.ts';
import type { EnginePort, EngineResult } from '../state/engine-port.ts';
import type { AllocationStore } from './allocation-file.ts';
import { createLinkedMeanings } from './linked-meanings.ts';
import { changedMembers, failureOf, isMethodFault, isNodeFault } from './load-failure.ts';
import { abortGeneration, loadGeneration, tryHook } from './load-generation.ts';
import type { LoaderClient, LoaderHello } from './loader-client.ts';
import { LoaderUnavailableError } from './loader-error.ts';
import { type AttachedHook, runningPolicies } from './running-policies.ts';
import { ScopeSync, type ScopeWish } from './scope-sync.ts';

export type GenerationDriverOptions = {
  readonly store: AllocationStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** A method that failed is tried again after this. */
const UNUSABLE_MS = 5 * 60_000;
/** Trial loads to find out which of several new policies a hook cannot take. */
const MAX_TRIALS = 8;

type Session = { readonly client: LoaderClient; readonly kernel: KernelFacts; readonly hostNamespaces: readonly number[] };
type Active = {
  readonly generation: number;
  /** Number of the generation that comes next. */
  readonly next: number;
  /** Hexadecimal; empty: nothing is active. */
  readonly label: string;
  /** Null: what is active was made by an agent of whose numbers nothing is known. */
  readonly node: LinkedNode | null;
  readonly attached: ReadonlyMap<number, AttachedHook>;
};
type Attempt = { readonly done: EngineResult } | { readonly again: true };

export class GenerationDriver implements EnginePort {
  readonly #options: GenerationDriverOptions;
  readonly #meanings = createLinkedMeanings();
  readonly #scope: ScopeSync;
  readonly #unusable = new Map<string, UnusableMethod & { readonly sinceMs: number }>();
  readonly #prototypes = new Map<string, Prototype | null>();
  #allocation: Allocation;
  #session: Session | null = null;
  #active: Active = { generation: 0, next: 1, label: '', node: null, attached: new Map() };
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: GenerationDriverOptions) {
    this.#options = options;
    this.#allocation = options.store.load();
    this.#scope = new ScopeSync(this.#allocation.classes);
    const unclassed = options.metrics.gauge(
      'agent_pods_without_class',
      'Pods that policies about pods do not see: there are too many different ones.',
    );
    options.metrics.onScrape(() => unclassed.set({}, this.unclassedPods.length));
  }

  get meanings(): Meanings {
    return this.#meanings;
  }

  get generation(): number {
    return this.#active.generation;
  }

  /** Pods that have no scope class because there are too many different ones: policies about pods do not know them. */
  get unclassedPods(): readonly string[] {
    return this.#scope.classes.unclassed;
  }

  /** A loader answered HELLO. What it runs is kept if it is what this agent made; otherwise the next `apply` sends everything. */
  connected(client: LoaderClient, hello: LoaderHello, kernel: KernelFacts): void {
    const label = hello.label === null ? '' : hello.label.toString('hex');
    const attached = new Map(hello.activeHooks.map((hook) => [hook.id, { method: hook.method, pinned: hook.pinned }]));
    const known = this.#active.node;
    const isMine = known !== null && label === this.#active.label && known.hooks.every((hook) => attached.has(hook.id));
    const node = isMine ? known : null;
    this.#active = { generation: hello.generation, next: hello.nextGeneration, label, node, attached };
    this.#session = { client, kernel, hostNamespaces: hello.hostNamespaces };
    this.#prototypes.clear();
    this.#unusable.clear();
    this.#scope.forgetSent();
  }

  disconnected(): void {
    this.#session = null;
  }

  apply(policies: readonly LinkPolicy[], pods: readonly LinkPod[]): Promise<EngineResult> {
    return this.#inTurn(async () => {
      this.#forgetOldFaults();
      for (;;) {
        const attempt = await this.#attempt(policies, pods, 'first');
        if ('done' in attempt) return attempt.done;
      }
    });
  }

  /**
   * What is known of pods and cgroups now. Resolves when the kernel knows it; while a generation is being made that is between two of its
   * requests. Rejects without a loader; then it is sent to the next one.
   */
  async setScope(wish: ScopeWish): Promise<void> {
    this.#scope.want(wish);
    await this.#inTurn(() => this.#flushScope());
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined);
    return await turn;
  }

  #live(): Session {
    if (this.#session === null) throw new LoaderUnavailableError('the loader is away');
    return this.#session;
  }

  async #flushScope(): Promise<void> {
    const { generation, node } = this.#active;
    // Rows of hooks of which nothing is known cannot be written; without them a class could mean anything. `apply` comes first.
    const isUnknown = generation > 0 && node === null;
    if (!this.#scope.isDirty || isUnknown) return;
    const { client } = this.#live();
    await this.#save({ ...this.#allocation, classes: this.#scope.classes.space });
    await this.#scope.flush(client, node?.hooks ?? []);
  }

  /** `again`: a way of attaching has turned out not to work; the next link does without it. Ends, since there are finitely many. */
  async #attempt(policies: readonly LinkPolicy[], pods: readonly LinkPod[], turn: 'first' | 'retry'): Promise<Attempt> {
    const session = this.#live();
    const node = await this.#link(session, policies, pods);
    if (node.problems.length > 0) {
      return {
        done: {
          ok: false,
          blamed: node.problems.map(({ uid, reason, message, path }) => ({ uid, failure: { reason, message, hook: path } })),
          fault: null,
        },
      };
    }
    if (this.#isActive(node)) return { done: await this.#keep(node, policies) };
    await this.#prepare(session, node);
    const { clock, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    // Records of the new generation may overtake the answer to COMMIT.
    this.#meanings.add(this.#active.next, node, policies);
    const result = await loadGeneration({
      client: session.client,
      generation: this.#active.next,
      previous: this.#active.node,
      next: node,
      classPods: () => this.#scope.classes.members,
      betweenRequests: () => this.#flushScope(),
    });
    metrics
      .histogram('agent_load_seconds', 'Time from BEGIN to COMMIT.', SECONDS_BUCKETS)
      .observe({}, (clock.monotonicMs() - startMs) / 1000);
    if (result.ok) {
      const attached = new Map(this.#active.attached);
      for (const [id, answer] of result.answers) attached.set(id, { method: answer.used, pinned: answer.pinned });
      const generation = this.#active.next;
      const done = this.#activate(node, policies, { generation, next: generation + 1 }, attached);
      await this.#flushScope();
      return { done };
    }
    if (result.step === 'begin' && turn === 'first') {
      await this.#resync(session);
      return await this.#attempt(policies, pods, 'retry');
    }
    return await this.#explain(
      session,
      node,
      policies,
      pods,
      result.hook,
      failureOf(result.result, result.hook?.key ?? null),
      () => result.hook !== null && isMethodFault(result.result, result.hook, this.#active.node),
    );
  }

  /** A link that cannot be pinned dies with its loader: then the label is right and the hook is not there. */
  #isActive(node: LinkedNode): boolean {
    return node.label.toString('hex') === this.#active.label && node.hooks.every((hook) => this.#active.attached.has(hook.id));
  }

  async #link(session: Session, policies: readonly LinkPolicy[], pods: readonly LinkPod[]): Promise<LinkedNode> {
    const unknown = prototypeQueries(policies, { kernel: session.kernel, unusable: this.#unusable }).filter(
      (query) => !this.#prototypes.has(query),
    );
    if (unknown.length > 0) {
      for (const [query, prototype] of await session.client.resolve(unknown)) this.#prototypes.set(query, prototype);
    }
    return link(this.#linkInput(session, policies, pods), this.#active.node);
  }

  #linkInput(session: Session, policies: readonly LinkPolicy[], pods: readonly LinkPod[]): LinkInput {
    const { kernel, hostNamespaces } = session;
    const allocation = { ...this.#allocation, classes: this.#scope.classes.space };
    return { policies, kernel, hostNamespaces, prototypes: this.#prototypes, pods, allocation, unusable: this.#unusable };
  }

  /** The kernel runs this already; a new agent learns here what it runs. */
  async #keep(node: LinkedNode, policies: readonly LinkPolicy[]): Promise<EngineResult> {
    await this.#save(mergeAllocations(this.#allocation, node.allocation));
    const result = this.#activate(node, policies, this.#active, this.#active.attached);
    await this.#flushScope();
    return result;
  }

  /** Before BEGIN: numbers are on disk, and counters that are given out anew start at zero. */
  async #prepare(session: Session, node: LinkedNode): Promise<void> {
    const known = this.#allocation.policies.numbers;
    const fresh = node.policies.filter((entry) => known.get(entry.ref.uid) !== entry.number).map((entry) => entry.number);
    if (fresh.length > 0) await session.client.zero(fresh);
    await this.#save(mergeAllocations(this.#allocation, node.allocation));
    await this.#flushScope();
  }

  #activate(
    node: LinkedNode,
    policies: readonly LinkPolicy[],
    { generation, next }: Pick<Active, 'generation' | 'next'>,
    attached: ReadonlyMap<number, AttachedHook>,
  ): EngineResult {
    const ids = new Set(node.hooks.map((hook) => hook.id));
    const running = new Map([...attached].filter(([id]) => ids.has(id)));
    this.#active = { generation, next, label: node.label.toString('hex'), node, attached: running };
    // On disk the numbers of the generation before stay taken until the next one is made: that costs nothing.
    this.#allocation = { ...node.allocation, classes: this.#scope.classes.space };
    this.#meanings.add(generation, node, policies);
    return { ok: true, running: runningPolicies(node, policies, this.#active.attached) };
  }

  /** Agent and loader disagree about what is active or pending: the loader is right, and nothing of ours is pending. */
  async #resync(session: Session): Promise<void> {
    await abortGeneration(session.client);
    this.connected(session.client, await session.client.hello(), session.kernel);
  }

  async #explain(
    session: Session,
    node: LinkedNode,
    policies: readonly LinkPolicy[],
    pods: readonly LinkPod[],
    hook: LinkedHook | null,
    failure: PlanFailure,
    isMethod: () => boolean,
  ): Promise<Attempt> {
    this.#options.log.warn('A generation was refused', { generation: this.#active.next, ...failure });
    if (hook === null || isNodeFault(failure)) return { done: { ok: false, blamed: [], fault: failure } };
    if (isMethod()) {
      const sinceMs = this.#options.clock.monotonicMs();
      for (const method of hook.methods) this.#unusable.set(method, { reason: failure.reason, message: failure.message, sinceMs });
      return { again: true };
    }
    const blamed = await this.#findCulprits(session, node, policies, pods, hook);
    return { done: { ok: false, blamed: blamed.map((uid) => ({ uid, failure })), fault: null } };
  }

  /**
   * Which policies the hook cannot take. Those that are active as they are cannot be it; of several new ones each is tried alone beside
   * them. If every one loads alone, it is their sum, and the last has to go, policies of namespaces first.
   */
  async #findCulprits(
    session: Session,
    node: LinkedNode,
    policies: readonly LinkPolicy[],
    pods: readonly LinkPod[],
    hook: LinkedHook,
  ): Promise<readonly string[]> {
    const changed = changedMembers(hook, node, this.#active.node);
    const all = [...new Set(hook.members.map((member) => member.uid))];
    const candidates = changed.length === 0 ? all : changed;
    if (candidates.length === 1) return candidates;
    const culprits: string[] = [];
    for (const uid of candidates.slice(0, MAX_TRIALS)) {
      const some = policies.filter((policy) => policy.ref.uid === uid || !candidates.includes(policy.ref.uid));
      const trial = link(this.#linkInput(session, some, pods), this.#active.node);
      const trialHook = trial.hooks.find((entry) => entry.key === hook.key);
      if (trialHook !== undefined && (await tryHook(session.client, this.#active.next, trial, trialHook)) !== null) culprits.push(uid);
    }
    if (culprits.length > 0) return culprits;
    const newest =
      candidates.findLast((uid) => policies.some((policy) => policy.ref.uid === uid && policy.ref.namespace !== null)) ?? candidates.at(-1);
    return newest === undefined ? [] : [newest];
  }

  #forgetOldFaults(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [method, { sinceMs }] of this.#unusable) if (nowMs - sinceMs > UNUSABLE_MS) this.#unusable.delete(method);
  }

  /** Without its numbers on disk a restarted agent would send everything anew: worth a line, not worth stopping. */
  async #save(allocation: Allocation): Promise<void> {
    if (allocation === this.#allocation) return;
    this.#allocation = allocation;
    try {
      await this.#options.store.save(allocation);
    } catch (error) {
      this.#options.metrics
        .counter('agent_allocation_write_failures_total', "Times the linker's numbers could not be written to disk.")
        .inc({});
      this.#options.log.error("Could not write the linker's numbers", { error });
    }
  }
}
