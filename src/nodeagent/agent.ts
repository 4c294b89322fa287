/** One node's agent: everything wired together. main.ts (in a pod) and `palisade run` (on any host) start the same thing. */
import { arch, release, version } from 'node:os';
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import type { HookRecord } from '../abi/record-types.ts';
import type { KernelFacts } from '../policy/kernel-facts.ts';
import { kernelBuildOf } from '../protocol/kernel-build.ts';
import type { Pods } from '../protocol/hub-frames.ts';
import { sleep, type Clock } from '../telemetry/clock.ts';
import type { Health } from '../telemetry/health.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AgentFlags } from './agent-options.ts';
import { EventPlant } from './events/event-plant.ts';
import type { KernelTime } from './events/kernel-time.ts';
import type { ExportedLine } from './export/export-queue.ts';
import type { DesiredSet } from './hub/desired-set.ts';
import { runHubLink } from './hub/hub-link.ts';
import { HubSession, type NodeSelf, type SessionPort, type SessionReport } from './hub/hub-session.ts';
import { NodeIdentity } from './identity/node-identity.ts';
import { AgentSocket } from './local/agent-socket.ts';
import { nodeRequests } from './local/node-requests.ts';
import { createAllocationFile } from './loader/allocation-file.ts';
import { GenerationDriver } from './loader/generation-driver.ts';
import { readKernelFacts } from './loader/kernel-facts-reader.ts';
import { ActivityMeter } from './state/activity-meter.ts';
import { LoaderKeeper, type LoaderUp } from './state/loader-keeper.ts';
import { faultTexts, healthFault, type NodeState } from './state/node-faults.ts';
import { PlanStore } from './state/plan-store.ts';
import { policyReport } from './state/policy-report.ts';
import { PolicyRunner } from './state/policy-runner.ts';
import { SuspendList } from './state/suspend-list.ts';

export type AgentParts = {
  readonly flags: AgentFlags;
  /** Of this build, for people. */
  readonly agentVersion: string;
  readonly readTime: () => KernelTime;
  readonly nowKtimeNs: () => bigint;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly random: () => number;
  /** Aborted: the agent stops taking work, writes what it has, and `run` returns. */
  readonly signal: AbortSignal;
  /** Besides the socket's readers: `palisade run` prints them. */
  readonly onLines?: (lines: readonly ExportedLine[]) => void;
  /** After every attempt to make the kernel what it should be. */
  readonly onSettled?: () => void;
};

const LIMITS = { recordWaitMs: 100, maxWaiting: 8192, maxProcesses: 65_536, processLingerMs: 5000, sequenceGraceMs: 1000 };
const MAX_QUEUED_BYTES = 32 << 20;
const MAX_READER_BYTES = 8 << 20;
const ANSWER_TIMEOUT_MS = 120_000;
const HANDSHAKE_TIMEOUT_MS = 15_000;
const MISSED_HEARTBEATS = 3;
const READABLE_MS = 30_000;

export class NodeAgent {
  readonly #parts: AgentParts;
  readonly #store: PlanStore;
  readonly #engine: GenerationDriver;
  readonly #suspended: SuspendList;
  readonly #identity: NodeIdentity;
  readonly #plant: EventPlant;
  readonly #socket: AgentSocket;
  readonly #keeper: LoaderKeeper;
  readonly #runner: PolicyRunner;
  readonly #session: HubSession;
  readonly #meter: ActivityMeter;
  #up: LoaderUp | null = null;
  #kernel: KernelFacts | null = null;
  #boot = '';
  #isPurged = false;
  #onFirstLoader: () => void = () => {};
  #onAttempt: () => void = () => {};
  readonly #firstLoader: Promise<void>;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    const { flags, clock, log, metrics } = parts;
    this.#firstLoader = new Promise((resolve) => {
      this.#onFirstLoader = resolve;
    });
    this.#store = new PlanStore({ folder: flags.plansDir, maxBytes: flags.plansMaxBytes });
    const allocation = createAllocationFile(join(flags.plansDir, 'allocation.json'), (why) =>
      log.warn("The linker's numbers on disk cannot be used", { why }),
    );
    this.#engine = new GenerationDriver({ store: allocation, clock, log, metrics });
    this.#suspended = new SuspendList(join(flags.plansDir, 'suspended.json'));
    this.#meter = new ActivityMeter(clock);
    this.#identity = new NodeIdentity({
      root: flags.cgroupRoot,
      walkMs: flags.times.cgroupWalkMs,
      podFile: flags.hubUrl === null ? null : join(flags.plansDir, 'pods.json'),
      clock,
      log,
      onChange: () => this.#identityChanged(),
    });
    this.#plant = new EventPlant({
      nodeName: flags.nodeName,
      arch: machine(),
      exportFile:
        flags.exportFile === null ? null : { path: flags.exportFile, maxBytes: flags.exportMaxBytes, backups: flags.exportBackups },
      limits: { ...LIMITS, identityWaitMs: flags.times.identityWaitMs },
      flushMs: flags.times.exportFlushMs,
      maxQueuedBytes: MAX_QUEUED_BYTES,
      readTime: parts.readTime,
      nowKtimeNs: parts.nowKtimeNs,
      clock,
      log,
      metrics,
      onLines: (lines) => {
        this.#socket.publish(lines);
        parts.onLines?.(lines);
      },
      onCgroup: (record) => this.#identity.note(record),
      onHook: (record) => this.#noteMatch(record),
    });
    this.#plant.setIdentities(this.#identity.identities);
    this.#plant.setMeanings(this.#engine.meanings);
    this.#socket = new AgentSocket({
      path: flags.eventsSocket,
      maxBufferedBytes: MAX_READER_BYTES,
      exported: () => this.#plant.exported(),
      requests: nodeRequests({
        nodeName: flags.nodeName,
        suspended: this.#suspended,
        runner: () => this.#runner,
        loader: () => ({ state: this.#keeper.state, up: this.#up }),
        hub: () => (flags.hubUrl === null ? 'none' : this.#session.isConnected ? 'connected' : 'disconnected'),
        kernel: () => `${this.#kernel?.release ?? release()} ${this.#kernel?.arch ?? machine()}`,
        generation: () => this.#engine.generation,
        pods: () => this.#identity.podCount,
        faults: () => faultTexts(this.#nodeState()),
        purge: () => this.purge('remove events'),
        log,
      }),
      log,
      metrics,
      signal: parts.signal,
    });
    this.#keeper = new LoaderKeeper({
      socket: flags.loaderSocket,
      retryMs: flags.times.loaderRetryMs,
      downMs: flags.times.loaderDownMs,
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
      onUp: (up) => this.#loaderUp(up),
      untilReadable: () => this.#untilReadable(),
      onRecordsOpen: ({ client }, acknowledge) => {
        this.#plant.streamOpened(acknowledge);
        client.iterate().catch((error: unknown) => log.warn('Could not ask for the processes that run', { error }));
      },
      onDown: () => this.#loaderDown(),
      onRecords: (batch) => {
        for (const bytes of batch) this.#plant.take(bytes);
      },
      clock,
      log,
      metrics,
      signal: parts.signal,
    });
    this.#runner = new PolicyRunner({
      store: this.#store,
      engine: this.#engine,
      suspended: () => this.#suspended.names,
      pods: () => this.#identity.linkPods(),
      onSettled: () => this.#settled(),
      retryMs: flags.times.applyRetryMs,
      clock,
      log,
      metrics,
    });
    this.#session = new HubSession({ port: this.#port(), clock, log });
  }

  get runner(): PolicyRunner {
    return this.#runner;
  }

  /** The kernel as the loader found it; null until it has answered. */
  get kernel(): KernelFacts | null {
    return this.#kernel;
  }

  /** Runs until the signal is aborted; then drains. */
  async run(): Promise<void> {
    const { log, signal, health } = this.#parts;
    health.addReadiness('loader', () => (this.#up === null ? 'the loader does not answer' : undefined));
    health.addReadiness('policies', () => this.#runner.fault?.message ?? undefined);
    health.addReadiness('export', () => this.#plant.fault ?? undefined);
    await this.#suspended.open().catch((error: unknown) => log.error('Could not read the list of suspended policies; all run', { error }));
    await this.#identity.open();
    await this.#runner.open();
    await this.#socket.listen();
    await Promise.all([this.#keeper.run(), this.#identity.run(signal), this.#hub(), this.#report()]);
    await this.#runner.stop();
    await this.#plant.close();
  }

  /** A tear-down: the kernel is as if we had never been there, and stays so until this process ends. Returns what is left. */
  async purge(events: 'keep events' | 'remove events'): Promise<{ removed: number; left: string[] }> {
    this.#isPurged = true;
    this.#identity.stopRemembering();
    await this.#runner.stop();
    const removed = this.#up === null ? 0 : await this.#up.client.teardown();
    this.#runner.forgetRunning();
    const left = await this.#store.clear();
    if (this.#up === null) left.push('the loader did not answer: its programs and pins may still be there');
    await this.#plant.close();
    for (const file of events === 'keep events' ? [] : this.#plant.files()) await rm(file, { force: true }).catch(() => left.push(file));
    this.#parts.log.warn('Removed everything of ours from this node', { pins: removed, left });
    return { removed, left };
  }

  async #hub(): Promise<void> {
    const { flags, clock, log, metrics, signal, random } = this.#parts;
    if (flags.hubUrl === null) return;
    // Hello says what the kernel can do, which only the loader knows.
    await Promise.race([this.#firstLoader, aborted(signal)]);
    await runHubLink({
      address: { url: flags.hubUrl, caFile: flags.hubCaFile, tokenFile: flags.tokenFile, handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS },
      redial: { baseMs: flags.times.redialBaseMs, maxMs: flags.times.redialMaxMs },
      missedHeartbeats: MISSED_HEARTBEATS,
      handler: this.#session,
      clock,
      log,
      metrics,
      signal,
      random,
    });
  }

  async #loaderUp(up: LoaderUp): Promise<void> {
    const { flags, log } = this.#parts;
    if (this.#boot === '' && up.hello.adopted) this.#meter.startFrom(await up.client.counters());
    this.#boot = up.hello.boot;
    this.#kernel = readKernelFacts(up.hello, null);
    log.info('The loader answers', {
      generation: up.hello.generation,
      adopted: up.hello.adopted,
      kept: up.hello.keptCapabilities,
      release: up.hello.release,
    });
    await this.#plant.open(up.hello.boot, up.hello.rings);
    await up.client.exempt(flags.exemptPaths);
    await this.#identity.walk();
    this.#engine.connected(up.client, up.hello, this.#kernel);
    this.#runner.forgetFailures();
    if (!this.#isPurged) await this.#engine.setScope(this.#identity.scope());
    // Last: of what failed before, `onDown` would not be told.
    this.#up = up;
    this.#onFirstLoader();
    this.#session.sendHealth();
  }

  /**
   * After the first attempt it is known what the kernel runs. An attempt that takes very long must not keep events back for ever: what then
   * cannot be read is counted in loss lines.
   */
  async #untilReadable(): Promise<void> {
    const limit = new AbortController();
    const attempt = new Promise<void>((resolve) => {
      this.#onAttempt = resolve;
    });
    if (this.#isPurged) return;
    this.#runner.wake();
    if (this.#engine.generation === 0) return;
    await Promise.race([attempt, sleep(this.#parts.clock, READABLE_MS, limit.signal)]);
    limit.abort();
  }

  #loaderDown(): void {
    this.#up = null;
    this.#engine.disconnected();
    this.#session.sendHealth();
  }

  #settled(): void {
    this.#onAttempt();
    this.#session.sendReport();
    this.#session.sendHealth();
    this.#parts.onSettled?.();
  }

  #identityChanged(): void {
    this.#plant.identitiesChanged();
    if (this.#isPurged) return;
    const before = this.#engine.unclassedPods.length;
    this.#engine.setScope(this.#identity.scope()).catch((error: unknown) => {
      // Without a loader it is sent to the next one; anything else is worth a line.
      if (this.#up !== null) this.#parts.log.warn('Could not tell the kernel of pods', { error });
    });
    if (this.#engine.unclassedPods.length !== before) this.#session.sendHealth();
  }

  #noteMatch(record: HookRecord): void {
    for (const match of record.matches) this.#meter.note(match.policy);
  }

  async #report(): Promise<void> {
    const { flags, signal, log, clock, random } = this.#parts;
    await this.#meter.run({
      everyMs: () => this.#session.nextActivityMs(random) ?? flags.times.activityMs,
      counters: async () => (this.#up === null ? null : await this.#up.client.counters()),
      running: () => this.#runner.running,
      onRows: (windowMs, rows) => this.#session.sendActivity(windowMs, rows),
      onHealth: () => this.#session.sendHealth(),
      clock,
      log,
      signal,
    });
  }

  #self(): NodeSelf {
    const { flags, agentVersion } = this.#parts;
    const kernel = this.#kernel;
    if (kernel === null) throw new Error('the kernel is not known before the loader has answered');
    const identity = { release: kernel.release, version: version(), arch: kernel.arch, lsm: [...kernel.lsm], preempt: kernel.preempt };
    return {
      node: flags.nodeName,
      agent: agentVersion,
      boot: this.#boot,
      kernel: { ...identity, build: kernelBuildOf({ ...identity, facts: kernel.facts }) },
      facts: kernel.facts,
    };
  }

  #port(): SessionPort {
    return {
      self: () => this.#self(),
      held: () => ({ set: this.#runner.set, epoch: this.#runner.epoch }),
      hasPlan: (digest) => this.#runner.hasPlan(digest),
      adopt: async (set: DesiredSet, epoch) => {
        if (!this.#isPurged) await this.#runner.adopt(set, epoch);
      },
      storePlan: async (digest, text) => {
        if (!this.#isPurged) await this.#runner.storePlan(digest, text);
      },
      plansSettled: () => {
        if (!this.#isPurged) this.#runner.wake();
      },
      podsChanged: (frame: Pods) => this.#podsChanged(frame),
      report: (rows) => this.#makeReport(rows),
      health: () => ({ loader: this.#keeper.state, unprotectedStarts: this.#meter.unprotectedStarts, ...healthFault(this.#nodeState()) }),
      catalogue: () => this.#catalogue(),
      teardown: async () => (await this.purge('remove events')).left,
    };
  }

  async #podsChanged(frame: Pods): Promise<void> {
    const isFirst = frame.full === true && this.#identity.podCount === 0;
    this.#identity.applyPods(frame);
    if (!isFirst || this.#up === null || this.#isPurged) return;
    // Behind the scope in the driver's queue: from here on a container of unknown identity is a late one.
    await this.#engine.setScope(this.#identity.scope());
    this.#meter.forgetUnprotected(await this.#up.client.counters());
  }

  #makeReport(rows: 'exceptions' | 'all'): SessionReport | null {
    const { set, settledSet, choices, running } = this.#runner;
    if (set.digest === null || this.#kernel === null) return null;
    const applied = settledSet === set.digest;
    // While a set cannot be applied, a hub that has been restarted knows nothing of what runs but what it is told.
    const report = policyReport({ choices, running, kernel: this.#kernel, rows: applied ? rows : 'all' });
    return { set: set.digest, applied, ...report };
  }

  #nodeState(): NodeState {
    return {
      storeFault: this.#store.fault,
      exportFault: this.#plant.fault,
      applyFault: this.#runner.fault,
      unclassedPods: this.#engine.unclassedPods.length,
      isPurged: this.#isPurged,
    };
  }

  async #catalogue(): Promise<string> {
    if (this.#up === null) throw new Error('the loader does not answer');
    const names = await this.#up.client.catalogue();
    const sorted = (set: ReadonlySet<string>): string[] => [...set].toSorted();
    return JSON.stringify({ functions: sorted(names.functions), lsmHooks: sorted(names.lsmHooks), tracepoints: sorted(names.tracepoints) });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** `uname -m`, in the kernel's words. */
function machine(): string {
  return arch() === 'x64' ? 'x86_64' : arch() === 'arm64' ? 'aarch64' : arch();
}
