import { readPlan } from '../../policy/plan-schema.ts';
import type { Plan } from '../../policy/plan.ts';
import { findReason } from '../../policy/reasons.ts';
import type { LinkPod } from '../../linker/link-input.ts';
import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { SECONDS_BUCKETS, type Metrics } from '../../telemetry/metrics.ts';
import { LoaderUnavailableError } from '../loader/loader-error.ts';
import { planDigestsOf, UNKNOWN_SET, type DesiredSet } from '../hub/desired-set.ts';
import { choosePlans, failureKey, type Choice, type ChosenPlan, type PlanFailure } from './choose-plans.ts';
import type { EnginePort, EngineResult } from './engine-port.ts';
import type { PlanStore } from './plan-store.ts';
import type { RunningPolicy } from './running.ts';

export type PolicyRunnerOptions = {
  readonly store: PlanStore;
  readonly engine: EnginePort;
  readonly suspended: () => ReadonlySet<string>;
  readonly pods: () => readonly LinkPod[];
  /** After every attempt: what runs or why not may have changed. */
  readonly onSettled: () => void;
  /** A failure that nobody's plan is to blame for is tried again after this. */
  readonly retryMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** More turns than this within one attempt mean that failures are not getting fewer: the rest waits for the retry. */
const MAX_TURNS = 64;

/**
 * Keeps the kernel at what the node should run: one attempt at a time, the newest wish wins. Within an attempt a plan that fails is
 * replaced by the last good version of its policy before anything is flipped, so that no policy is without protection in between.
 */
export class PolicyRunner {
  readonly #options: PolicyRunnerOptions;
  readonly #plans = new Map<string, Plan | null>();
  readonly #failures = new Map<string, PlanFailure>();
  #set: DesiredSet = UNKNOWN_SET;
  #epoch = 0;
  #loaded = new Map<string, string>();
  #running: ReadonlyMap<string, RunningPolicy> = new Map();
  #choices: readonly Choice[] = [];
  #settled: string | null = null;
  #fault: PlanFailure | null = null;
  /** What the loader has made active, by plan and mode; null: not known. */
  #active: string | null = null;
  #isDirty = false;
  #isStopped = false;
  #attempt: Promise<void> | null = null;
  #retry: Timer | null = null;

  constructor(options: PolicyRunnerOptions) {
    this.#options = options;
  }

  get set(): DesiredSet {
    return this.#set;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get running(): ReadonlyMap<string, RunningPolicy> {
    return this.#running;
  }

  /** For every policy of the set, what the last attempt made of it. */
  get choices(): readonly Choice[] {
    return this.#choices;
  }

  /** Digest of the set that the choices belong to; null until the first attempt. */
  get settledSet(): string | null {
    return this.#settled;
  }

  /** Why the last attempt did not come to an end; null if it did. */
  get fault(): PlanFailure | null {
    return this.#fault;
  }

  /** A plan that this agent holds and understands. */
  plan(digest: string): Plan | undefined {
    return this.#plans.get(digest) ?? undefined;
  }

  /** Reads what is on disk; the first attempt starts as soon as `wake` is called. */
  async open(): Promise<void> {
    const { state, problems } = await this.#options.store.open();
    for (const problem of problems) this.#options.log.warn('A stored file could not be used', problem);
    this.#set = { digest: state.set, entries: state.entries };
    this.#epoch = state.epoch;
    this.#loaded = new Map(Object.entries(state.loaded));
    for (const digest of [...planDigestsOf(this.#set), ...this.#loaded.values()]) this.#parse(digest);
  }

  /** Stores a new set and starts to apply it. */
  async adopt(set: DesiredSet, epoch: number): Promise<void> {
    this.#set = set;
    this.#epoch = epoch;
    const uids = new Set(set.entries.map(({ uid }) => uid));
    for (const uid of this.#loaded.keys()) if (!uids.has(uid)) this.#loaded.delete(uid);
    for (const digest of planDigestsOf(set)) this.#parse(digest);
    await this.#save();
    this.wake();
  }

  hasPlan(digest: string): boolean {
    return this.#options.store.has(digest);
  }

  async storePlan(digest: string, text: string): Promise<void> {
    await this.#options.store.putPlan(digest, text, this.#needed());
    this.#parse(digest);
  }

  /** A new loader, or a new kernel under it: what failed before may load now. */
  forgetFailures(): void {
    this.#failures.clear();
    this.#active = null;
  }

  /** The loader's tables are gone (tear-down): nothing runs until the next attempt. */
  forgetRunning(): void {
    this.#running = new Map();
    this.#active = null;
  }

  /** Something changed: plans, pods, suspensions, the loader. */
  wake(): void {
    this.#isDirty = true;
    this.#retry?.cancel();
    this.#retry = null;
    if (this.#isStopped) return;
    this.#attempt ??= this.#work().finally(() => {
      this.#attempt = null;
    });
  }

  /** No further attempts; resolves when the current one is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#isDirty = false;
    this.#retry?.cancel();
    await this.#attempt;
  }

  async #work(): Promise<void> {
    while (this.#isDirty && !this.#isStopped) {
      this.#isDirty = false;
      const startMs = this.#options.clock.monotonicMs();
      try {
        await this.#apply();
      } catch (error) {
        this.#options.log.error('Could not apply the policies', { error });
        this.#fault = { reason: 'LoaderUnavailable', message: error instanceof Error ? error.message : String(error) };
      }
      const seconds = (this.#options.clock.monotonicMs() - startMs) / 1000;
      this.#options.metrics.histogram('agent_apply_seconds', 'Time to link, load and flip.', SECONDS_BUCKETS).observe({}, seconds);
      if (this.#fault !== null || this.#hasTransientFailure()) this.#retryLater();
      this.#options.onSettled();
    }
  }

  async #apply(): Promise<void> {
    const set = this.#set;
    /** Left out because nobody was blamed; null: whoever was so for nothing has had his second chance. */
    let suspects: ChosenPlan[] | null = [];
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const choices = choosePlans({
        entries: set.entries,
        plans: this.#plans,
        loaded: this.#loaded,
        suspended: this.#options.suspended(),
        failures: this.#failures,
      });
      const chosen = choices.flatMap((choice) => (choice.chosen === null ? [] : [choice.chosen]));
      const wish = activeKey(chosen);
      if (wish === this.#active) return await this.#succeeded(set, choices, this.#running);
      this.#active = null;
      const result = await this.#try(chosen);
      if (result.ok) {
        this.#active = wish;
        this.#running = result.running;
        if (suspects === null || suspects.length < 2) return await this.#succeeded(set, choices, result.running);
        // It was the last one that helped: the others are tried again without it.
        for (const { ref, digest } of suspects.slice(0, -1)) this.#failures.delete(failureKey(ref.uid, digest));
        suspects = null;
        continue;
      }
      if (result.blamed.length === 0) {
        const suspect = this.#suspect(chosen);
        if (result.fault === null || isNodeFault(result.fault) || suspect === undefined) {
          this.#choices = choices;
          this.#fault = result.fault ?? { reason: 'LoadError', message: 'the loader refused the set and named no policy' };
          return;
        }
        suspects?.push(suspect);
        this.#fail(suspect, result.fault);
      }
      for (const { uid, failure } of result.blamed) {
        const plan = chosen.find(({ ref }) => ref.uid === uid);
        if (plan !== undefined) this.#fail(plan, failure);
      }
    }
    this.#fault = { reason: 'LoadError', message: `no set of policies loads after ${MAX_TURNS} attempts` };
  }

  /** A plan on which the agent itself fails must not keep the others from changing: the mistake is ours, but one of the plans brings it up. */
  async #try(chosen: readonly ChosenPlan[]): Promise<EngineResult> {
    try {
      const marked = chosen.map((plan) => (this.#loaded.get(plan.ref.uid) === plan.digest ? { ...plan, runs: true as const } : plan));
      return await this.#options.engine.apply(marked, this.#options.pods());
    } catch (error) {
      if (error instanceof LoaderUnavailableError) throw error;
      this.#options.log.error('The agent failed on a set of policies', { error });
      const message = `the agent failed on it, which is a mistake of ours: ${error instanceof Error ? error.message : String(error)}`;
      return { ok: false, blamed: [], fault: { reason: 'NotSupportedByAgent', message } };
    }
  }

  async #succeeded(set: DesiredSet, choices: readonly Choice[], running: ReadonlyMap<string, RunningPolicy>): Promise<void> {
    this.#running = running;
    this.#choices = choices;
    this.#settled = set.digest;
    this.#fault = null;
    const before = JSON.stringify([...this.#loaded]);
    for (const policy of running.values()) this.#loaded.set(policy.uid, policy.digest);
    if (JSON.stringify([...this.#loaded]) !== before) await this.#save();
    await this.#options.store.prune(this.#needed());
    for (const digest of this.#plans.keys()) if (!this.#options.store.has(digest)) this.#plans.delete(digest);
    this.#countStates(choices);
  }

  #fail(plan: ChosenPlan, failure: PlanFailure): void {
    this.#options.metrics
      .counter('agent_excluded_total', 'Plans that were left out of a generation.', ['reason'])
      .inc({ reason: failure.reason });
    this.#options.log.warn('A plan did not load', {
      policy: plan.ref.name,
      namespace: plan.ref.namespace,
      digest: plan.digest.slice(0, 8),
      ...failure,
    });
    this.#failures.set(failureKey(plan.ref.uid, plan.digest), failure);
  }

  /** Nobody was blamed: it is tried without whoever is new, policies of namespaces first. */
  #suspect(chosen: readonly ChosenPlan[]): ChosenPlan | undefined {
    const changed = chosen.filter(({ ref, digest }) => this.#running.get(ref.uid)?.digest !== digest);
    return changed.find(({ ref }) => ref.namespace !== null) ?? changed[0];
  }

  #retryLater(): void {
    if (this.#isStopped) return;
    this.#retry?.cancel();
    this.#retry = this.#options.clock.setTimer(this.#options.retryMs, () => {
      this.#dropTransientFailures();
      this.wake();
    });
  }

  #hasTransientFailure(): boolean {
    return [...this.#failures.values()].some((failure) => findReason(failure.reason)?.terminal === false);
  }

  /** What failed for the node's own reasons may work the next time. */
  #dropTransientFailures(): void {
    for (const [key, failure] of this.#failures) if (findReason(failure.reason)?.terminal === false) this.#failures.delete(key);
  }

  #parse(digest: string): void {
    if (this.#plans.has(digest)) return;
    const text = this.#options.store.plan(digest);
    if (text === undefined) return;
    const read = readPlan(text);
    if (!read.ok) this.#options.log.error('A plan cannot be read', { digest: digest.slice(0, 8), message: read.message });
    this.#plans.set(digest, read.ok ? read.plan : null);
  }

  #needed(): Set<string> {
    return new Set([...planDigestsOf(this.#set), ...this.#loaded.values()]);
  }

  async #save(): Promise<void> {
    await this.#options.store.putState({
      set: this.#set.digest,
      epoch: this.#epoch,
      entries: this.#set.entries,
      loaded: Object.fromEntries(this.#loaded),
    });
    if (this.#options.store.fault !== null)
      this.#options.log.error('Could not write the plan store', { message: this.#options.store.fault });
  }

  #countStates(choices: readonly Choice[]): void {
    const gauge = this.#options.metrics.gauge('agent_policies', 'Policies of this node by what was made of them.', ['state']);
    gauge.reset();
    for (const choice of choices) gauge.add({ state: choice.state }, 1);
  }
}

/** A refusal without a name says nothing of any policy where it did not come up at a policy's hook. */
function isNodeFault({ reason }: PlanFailure): boolean {
  return reason === 'LoadError' || findReason(reason)?.blame === 'node';
}

/** Equal for two choices that make the same tables: a set that is only waited for, or a new generation of an equal plan, costs no link. */
function activeKey(chosen: readonly ChosenPlan[]): string {
  return JSON.stringify(chosen.map(({ ref, digest, mode }) => [ref.uid, digest, mode]));
}
