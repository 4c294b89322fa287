import { PAL_EF_PROCFS } from '../../abi/layout.ts';
import type { CloneRecord, ExecRecord, ExitRecord, HookRecord, RecordHeader, RecordTask } from '../../abi/record-types.ts';
import type { ExportCheckpoint, Origin, StreamProgress } from './checkpoint.ts';
import type { AgentEvent, EventBody, EventLoss, EventProcess, ProcessAndFamily, ProcessAndParent } from './event.ts';
import { isNoKey, keyText } from './exec-id.ts';
import { hookEvent } from './hook-event.ts';
import type { Identities } from './identities.ts';
import { wallTimeText } from './kernel-time.ts';
import type { Meanings } from './meaning.ts';
import { entryOfClone, entryOfExec, entryOfStranger, type NodeContext } from './process-base.ts';
import type { ProcessCache, ProcessEntry } from './process-cache.ts';
import type { SequenceLoss, SequenceTracker } from './sequence-tracker.ts';
import { signalName } from './signal-name.ts';
import { WaitingRoom } from './waiting-room.ts';

export type ProcessRecord = ExecRecord | ExitRecord | CloneRecord | HookRecord;
/** An event and the record it came from; null for what the agent itself has to say. */
export type Emitted = { readonly event: AgentEvent; readonly origin: Origin | null };

export type PipelineLimits = {
  /** How long a hook event waits for the exec record of its process. */
  readonly recordWaitMs: number;
  /** How long events of a container wait for its name and image. */
  readonly identityWaitMs: number;
  /** Records that wait, of each sort. */
  readonly maxWaiting: number;
};

export type PipelineParts = {
  readonly node: () => NodeContext;
  /** The kernel's clock now, for lines that no record brought. */
  readonly nowKtimeNs: () => bigint;
  /** `uname -m`. */
  readonly arch: () => string;
  readonly cache: ProcessCache;
  readonly tracker: SequenceTracker;
  readonly checkpoint: ExportCheckpoint;
  readonly identities: () => Identities;
  readonly meanings: () => Meanings;
  readonly limits: PipelineLimits;
};

/** Bounds an event: who nests processes deeper is shown its nearest ancestors. */
const MAX_ANCESTORS = 32;

type Joined = { readonly record: ProcessRecord; readonly entry: ProcessEntry; readonly parent: ProcessEntry | undefined };

/**
 * Records in, events out. A state machine over time that is given in: it restores the order (exec before its hook events), joins
 * processes, parents and pods, fans a hook record out to one event per policy, and turns gaps into loss lines. It does no I/O.
 */
export class EventPipeline {
  readonly #parts: PipelineParts;
  readonly #strangers: WaitingRoom<ProcessRecord>;
  readonly #nameless: WaitingRoom<Joined>;
  /** Matches without a meaning that no loss line has told of yet. */
  #unread = 0;
  readonly counts = { records: 0, again: 0, events: 0, withoutProcess: 0, withoutMeaning: 0, withoutPod: 0 };

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    const { recordWaitMs, identityWaitMs, maxWaiting } = parts.limits;
    this.#strangers = new WaitingRoom({ waitMs: recordWaitMs, maxItems: maxWaiting });
    this.#nameless = new WaitingRoom({ waitMs: identityWaitMs, maxItems: maxWaiting });
  }

  get waiting(): number {
    return this.#strangers.size + this.#nameless.size;
  }

  /** Times that something had to leave a waiting room early. */
  get overflows(): number {
    return this.#strangers.overflows + this.#nameless.overflows;
  }

  /** `at`: where the record begins in what the loader sends. */
  push(record: ProcessRecord, nowMs: number, at = 0): Emitted[] {
    this.counts.records += 1;
    if (isFromWalk(record)) return this.#parts.cache.get(record.task.key) === undefined ? this.#admit(record, nowMs) : [];
    const { checkpoint } = this.#parts;
    const origin = originOf(record.header);
    const { kind, emitted } = this.note(record.header, nowMs);
    if (kind === 'again') {
      checkpoint.again(origin, at);
      return emitted;
    }
    checkpoint.begin(origin, at);
    return [...emitted, ...this.#admit(record, nowMs)];
  }

  /** Takes the number of a record of the rings down, whatever its kind. */
  note(header: RecordHeader, nowMs: number): { readonly kind: 'new' | 'again'; readonly emitted: Emitted[] } {
    const { stream, seq } = originOf(header);
    const { kind, losses } = this.#parts.tracker.note(stream, seq, nowMs);
    if (kind === 'again') this.counts.again += 1;
    return { kind, emitted: losses.map((loss) => this.#gap(loss)) };
  }

  /** Takes up what an agent before this one has exported. */
  resume(progress: ReadonlyMap<string, StreamProgress>): void {
    for (const [stream, of] of progress) {
      this.#parts.tracker.resume(stream, of.high, of.open);
      this.#parts.checkpoint.resume(stream, of);
    }
  }

  /** The loader sends from now on, beginning with what was not acknowledged. */
  restart(): void {
    this.#parts.checkpoint.restart();
  }

  /** Other rings: their numbers begin anew. */
  forget(): void {
    this.#parts.tracker.forget();
    this.#parts.checkpoint.forget();
  }

  /** To be called every 50 ms or so: opens waiting rooms whose time is over, reports gaps, forgets dead processes. */
  tick(nowMs: number): Emitted[] {
    const emitted = this.#strangers.expired(nowMs).flatMap((record) => this.#adopt(record, nowMs));
    emitted.push(...this.#nameless.expired(nowMs).flatMap((joined) => this.#finish(joined)));
    emitted.push(...this.#parts.tracker.sweep(nowMs).map((loss) => this.#gap(loss)));
    if (this.#unread > 0) emitted.push(this.loss({ reason: 'UnknownPolicy', count: String(this.#unread) }, this.#parts.nowKtimeNs()));
    this.#unread = 0;
    this.#parts.cache.sweep(nowMs);
    return emitted;
  }

  /** Pods became known: lets out what waited for them. */
  identitiesChanged(): Emitted[] {
    const ready = this.#nameless.keys().filter((cgroup) => this.#isNamed(BigInt(cgroup)));
    return ready.flatMap((cgroup) => this.#nameless.take(cgroup)).flatMap((joined) => this.#finish(joined));
  }

  /** Everything that waits, as it is: for the end of the process. */
  drain(nowMs: number): Emitted[] {
    const emitted = this.#strangers
      .keys()
      .flatMap((key) => this.#strangers.take(key))
      .flatMap((record) => this.#adopt(record, nowMs));
    return [
      ...emitted,
      ...this.#nameless
        .keys()
        .flatMap((key) => this.#nameless.take(key))
        .flatMap((joined) => this.#finish(joined)),
    ];
  }

  /** A line about records that were lost outside of the kernel. */
  loss(loss: EventLoss, ktimeNs: bigint): Emitted {
    return this.#own({ palisade_loss: loss }, ktimeNs);
  }

  #admit(record: ProcessRecord, nowMs: number): Emitted[] {
    if (record.kind === 'exec') return this.#introduce(record, this.#exec(record, nowMs), nowMs);
    if (record.kind === 'clone') {
      const { cache } = this.#parts;
      const parent = isNoKey(record.parent) ? undefined : cache.expect(record.parent);
      return this.#introduce(record, cache.add(entryOfClone(record, parent, this.#parts.node())), nowMs);
    }
    const text = keyText(record.task.key);
    const entry = this.#parts.cache.get(record.task.key);
    if (entry !== undefined && !this.#strangers.has(text)) return this.#join(record, entry, nowMs);
    return this.#strangers.add(text, record, nowMs).flatMap((early) => this.#adopt(early, nowMs));
  }

  #exec(record: ExecRecord, nowMs: number): ProcessEntry {
    const { cache, node } = this.#parts;
    const replaced = isNoKey(record.replaced) ? undefined : cache.get(record.replaced);
    const entry = cache.add(entryOfExec(record, replaced, node()));
    if (replaced !== undefined && keyText(record.replaced) !== keyText(record.task.key)) cache.end(record.replaced, nowMs);
    return entry;
  }

  /** A process is known now: its own event first, then what waited for it. */
  #introduce(record: ExecRecord | CloneRecord, entry: ProcessEntry, nowMs: number): Emitted[] {
    const own = record.kind === 'exec' ? this.#join(record, entry, nowMs) : this.#settle(record, []);
    const waited = this.#strangers.take(keyText(record.task.key));
    return [...own, ...waited.flatMap((late) => this.#join(late, entry, nowMs))];
  }

  /** The process was never announced: the record has to speak for itself. */
  #adopt(record: ProcessRecord, nowMs: number): Emitted[] {
    const known = this.#parts.cache.get(record.task.key);
    if (known !== undefined) return this.#join(record, known, nowMs);
    this.counts.withoutProcess += 1;
    const entry = this.#parts.cache.add(entryOfStranger(record.task, this.#parts.node()));
    return this.#join(record, entry, nowMs);
  }

  #join(record: ProcessRecord, entry: ProcessEntry, nowMs: number): Emitted[] {
    const parent = entry.parent === null ? undefined : this.#parts.cache.expect(entry.parent);
    const joined: Joined = { record, entry, parent };
    if (record.kind === 'exit') this.#parts.cache.end(record.task.key, nowMs);
    const cgroup = cgroupOf(joined);
    const mustQueue = this.#nameless.has(cgroup.toString()) || !this.#isNamed(cgroup);
    if (!mustQueue) return this.#finish(joined);
    return this.#nameless.add(cgroup.toString(), joined, nowMs).flatMap((early) => this.#finish(early));
  }

  #isNamed(cgroup: bigint): boolean {
    const identity = this.#parts.identities().ofCgroup(cgroup);
    return identity.state === 'host' || identity.complete;
  }

  #finish(joined: Joined): Emitted[] {
    const { record } = joined;
    const who = this.#who(joined);
    if (record.kind === 'exec') return this.#settle(record, [{ process_exec: { ...who, ...this.#ancestry(joined) } }]);
    if (record.kind === 'clone') return this.#settle(record, []);
    if (record.kind === 'exit') return this.#settle(record, [this.#exitEvent(record, { ...who, ...this.#ancestry(joined) })]);
    return this.#settle(record, this.#hookEvents(record, who));
  }

  #exitEvent(record: ExitRecord, who: ProcessAndFamily): EventBody {
    const signal = signalName(record.signal);
    const time = wallTimeText(this.#parts.node().time, record.header.ktimeNs);
    return {
      process_exit: { ...who, ...(signal === '' ? {} : { signal }), ...(record.code === 0 ? {} : { status: record.code }), time },
    };
  }

  #hookEvents(record: HookRecord, who: ProcessAndParent): EventBody[] {
    const bodies: EventBody[] = [];
    const { generation, hook } = record.header;
    for (const match of record.matches) {
      const meaning = this.#parts.meanings().match(generation, hook, match.policy, match.selector);
      if (meaning === undefined) {
        this.counts.withoutMeaning += 1;
        this.#unread += 1;
        continue;
      }
      bodies.push(hookEvent(record, match, meaning, { ...who, process: { ...who.process, tid: record.task.tid } }, this.#parts.arch()));
    }
    return bodies;
  }

  #who({ record, entry, parent }: Joined): ProcessAndParent {
    const process = this.#withPod(entry.base, cgroupOf({ record, entry }), entry.refs);
    const identity = this.#parts.identities().ofCgroup(cgroupOf({ record, entry }));
    if (identity.state === 'pod' && identity.pod === null) this.counts.withoutPod += 1;
    if (parent === undefined) return { process };
    return { process, parent: this.#withPod(parent.base, parent.cgroupId, parent.refs) };
  }

  /** The nearest first, as far as they are known; `parent_exec_id` of the last one names who is not, if anybody is above it. */
  #ancestry({ parent }: Joined): Pick<ProcessAndFamily, 'ancestors'> {
    const ancestors: EventProcess[] = [];
    let key = parent?.parent ?? null;
    while (key !== null && ancestors.length < MAX_ANCESTORS) {
      const entry = this.#parts.cache.get(key);
      if (entry === undefined) break;
      ancestors.push(this.#withPod(entry.base, entry.cgroupId, entry.refs));
      key = entry.parent;
    }
    return ancestors.length === 0 ? {} : { ancestors };
  }

  #withPod(base: EventProcess, cgroup: bigint, refs: number): EventProcess {
    const counted = refs > 0 ? { ...base, refcnt: refs } : base;
    const identity = this.#parts.identities().ofCgroup(cgroup);
    if (identity.state === 'host') return counted;
    return {
      ...counted,
      ...(identity.pod === null ? {} : { pod: identity.pod }),
      ...(identity.containerId === null ? {} : { docker: identity.containerId.slice(0, 31) }),
    };
  }

  #settle(record: ProcessRecord, bodies: EventBody[]): Emitted[] {
    this.counts.events += bodies.length;
    if (isFromWalk(record)) return bodies.map((body) => this.#own(body, this.#parts.nowKtimeNs()));
    const origin = originOf(record.header);
    this.#parts.checkpoint.settle(origin, bodies.length);
    return bodies.map((body) => ({ ...this.#own(body, record.header.ktimeNs), origin }));
  }

  #own(body: EventBody, ktimeNs: bigint): Emitted {
    const { nodeName, time } = this.#parts.node();
    return { event: { ...body, node_name: nodeName, time: wallTimeText(time, ktimeNs) }, origin: null };
  }

  #gap(loss: SequenceLoss): Emitted {
    const reason = loss.cause === 'restart' ? 'AgentRestart' : 'SequenceGap';
    if (loss.cause === 'restart') this.#parts.checkpoint.giveUp(loss.stream);
    return this.loss({ reason, count: loss.count.toString(), ...streamParts(loss.stream) }, this.#parts.nowKtimeNs());
  }
}

/** Records of processes that ran before the engine come from a walk over all tasks: no ring, no number, no time of their own. */
function isFromWalk(record: ProcessRecord): boolean {
  return record.kind === 'exec' && (record.flags & PAL_EF_PROCFS) !== 0;
}

/** Name of the ring and CPU that a record came through. */
export function originOf(header: RecordHeader): Origin {
  return { stream: `${header.ring}-${header.cpu}`, seq: header.seq };
}

export function streamParts(stream: string): { ring: string; cpu: number } {
  const [ring = '', cpu = ''] = stream.split('-');
  return { ring, cpu: Number(cpu) };
}

/** The cgroup of the moment is better than that of the exec: runtimes move a process after starting it. */
function cgroupOf({ record, entry }: { record: { task: RecordTask }; entry: ProcessEntry }): bigint {
  return record.task.cgroupId === 0n ? entry.cgroupId : record.task.cgroupId;
}
