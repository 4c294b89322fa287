import { readRecord } from '../../abi/record.ts';
import type { AlarmRecord, CgroupRecord, HookRecord, LossRecord } from '../../abi/record-types.ts';
import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { progressAfter, readCheckpoint, writeCheckpoint } from '../export/checkpoint-file.ts';
import { countLinesFrom } from '../export/exported-lines.ts';
import { ExportQueue, type ExportedLine } from '../export/export-queue.ts';
import { backupPath, RotatingFile, type FilePosition } from '../export/rotating-file.ts';
import type { EventsAnswer } from '../local/requests.ts';
import { alarmOf } from './alarm.ts';
import { ExportCheckpoint } from './checkpoint.ts';
import { HOST_ONLY, type Identities } from './identities.ts';
import type { KernelTime } from './kernel-time.ts';
import { NO_MEANINGS, type Meanings } from './meaning.ts';
import { EventPipeline, type PipelineLimits } from './pipeline.ts';
import { ProcessCache } from './process-cache.ts';
import { SequenceTracker } from './sequence-tracker.ts';

export type EventPlantOptions = {
  readonly nodeName: string;
  readonly arch: string;
  /** Null: nothing is written, events go to live readers only. */
  readonly exportFile: { readonly path: string; readonly maxBytes: number; readonly backups: number } | null;
  readonly limits: PipelineLimits & { readonly maxProcesses: number; readonly processLingerMs: number; readonly sequenceGraceMs: number };
  readonly flushMs: number;
  readonly maxQueuedBytes: number;
  readonly readTime: () => KernelTime;
  readonly nowKtimeNs: () => bigint;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly onLines: (lines: readonly ExportedLine[]) => void;
  readonly onCgroup: (record: CgroupRecord) => void;
  readonly onHook: (record: HookRecord) => void;
};

const TICK_MS = 50;
const BATCH_BYTES = 256 * 1024;
/** The wall clock may be set: the offset to the kernel's clock is looked up again this often. */
const TIME_REFRESH_MS = 30_000;

/** Everything between the loader's records and the readers of events: pipeline, queue, file, checkpoint, and the timer that drives them. */
export class EventPlant {
  readonly #options: EventPlantOptions;
  readonly #cache: ProcessCache;
  readonly #checkpoint = new ExportCheckpoint();
  readonly #pipeline: EventPipeline;
  readonly #file: RotatingFile | null;
  readonly #queue: ExportQueue;
  #time: KernelTime;
  #timeReadMs = 0;
  #identities: Identities = HOST_ONLY;
  #meanings: Meanings = NO_MEANINGS;
  #published: FilePosition = { inode: '0', bytes: 0 };
  /** What sequence numbers belong to. */
  #origin: { readonly boot: string; readonly rings: number } | null = null;
  /** Tells the loader what it need not send again. */
  #acknowledge: (doneBytes: number) => void = () => {};
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  #badRecords = 0;
  #isClosed = false;
  #timer: Timer | null = null;

  constructor(options: EventPlantOptions) {
    this.#options = options;
    const { limits } = options;
    this.#time = options.readTime();
    this.#cache = new ProcessCache({ maxEntries: limits.maxProcesses, lingerMs: limits.processLingerMs });
    this.#file = options.exportFile === null ? null : new RotatingFile(options.exportFile);
    this.#pipeline = new EventPipeline({
      node: () => ({ nodeName: options.nodeName, time: this.#time }),
      nowKtimeNs: options.nowKtimeNs,
      arch: () => options.arch,
      cache: this.#cache,
      tracker: new SequenceTracker({ graceMs: limits.sequenceGraceMs }),
      checkpoint: this.#checkpoint,
      identities: () => this.#identities,
      meanings: () => this.#meanings,
      limits,
    });
    this.#queue = new ExportQueue({
      sink: this.#file === null ? null : { append: (bytes, lines) => this.#append(bytes, lines) },
      flushMs: options.flushMs,
      batchBytes: BATCH_BYTES,
      maxQueuedBytes: options.maxQueuedBytes,
      clock: options.clock,
      log: options.log,
      metrics: options.metrics,
      onBatch: (lines) => this.#afterBatch(lines),
      onDone: (origin) => this.#checkpoint.written(origin),
    });
    options.metrics.onScrape(() => this.#measure());
  }

  /** Why events do not reach the file; null while all is well. */
  get fault(): string | null {
    return this.#queue.fault;
  }

  /** Opens the file and takes up where the last agent left off, if these are still the rings that it read. */
  async open(boot: string, rings: number): Promise<void> {
    this.#schedule();
    if (this.#origin?.boot === boot && this.#origin.rings === rings) return;
    const isFirst = this.#origin === null;
    if (!isFirst) this.#pipeline.forget();
    this.#origin = { boot, rings };
    if (this.#file === null || this.#options.exportFile === null) return;
    const { path } = this.#options.exportFile;
    try {
      if (isFirst) await this.#resume(path, boot, rings);
      await this.#file.open();
      this.#published = this.#file.position;
    } catch (error) {
      this.#options.log.error('Could not open the export file', { error, path });
    }
  }

  /** The loader sends from now on, beginning with what was not acknowledged. */
  streamOpened(acknowledge: (doneBytes: number) => void): void {
    this.#acknowledge = acknowledge;
    this.#receivedBytes = 0;
    this.#acknowledgedBytes = 0;
    this.#pipeline.restart();
  }

  setIdentities(identities: Identities): void {
    this.#identities = identities;
    this.identitiesChanged();
  }

  identitiesChanged(): void {
    if (!this.#isClosed) this.#queue.push(this.#pipeline.identitiesChanged());
  }

  setMeanings(meanings: Meanings): void {
    this.#meanings = meanings;
  }

  /** One whole record. The bytes are copied where they must live longer than the call. */
  take(bytes: Buffer): void {
    if (this.#isClosed) return;
    const at = this.#receivedBytes;
    this.#receivedBytes += bytes.length;
    const read = readRecord(Buffer.from(bytes));
    if (!read.ok) {
      this.#badRecords += 1;
      this.#options.metrics
        .counter('agent_bad_records_total', 'Records that could not be read.', ['code'])
        .inc({ code: read.problem.code });
      return;
    }
    const { record } = read;
    const nowMs = this.#options.clock.monotonicMs();
    // These two are of the loader's making and have no numbers.
    if (record.kind === 'loss') this.#ringLoss(record);
    else if (record.kind === 'alarm') this.#alarm(record);
    else if (record.kind === 'cgroup') {
      const { kind, emitted } = this.#pipeline.note(record.header, nowMs);
      this.#queue.push(emitted);
      if (kind === 'again') return;
      this.#options.onCgroup(record);
    } else {
      if (record.kind === 'hook') this.#options.onHook(record);
      this.#queue.push(this.#pipeline.push(record, nowMs, at));
    }
  }

  exported(): EventsAnswer {
    const { exportFile } = this.#options;
    return { file: exportFile === null ? null : { path: exportFile.path, backups: exportFile.backups, ...this.#published } };
  }

  /** Writes all that waits; what comes later is not taken. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#queue.push(this.#pipeline.drain(this.#options.clock.monotonicMs()));
    await this.#queue.flush();
    await this.#file?.close();
  }

  /** Files of ours on this node, for those who remove them. */
  files(): string[] {
    const { exportFile } = this.#options;
    if (exportFile === null) return [];
    const { path, backups } = exportFile;
    return [path, ...Array.from({ length: backups }, (_, index) => backupPath(path, index + 1)), checkpointPath(path)];
  }

  async #resume(path: string, boot: string, rings: number): Promise<void> {
    const last = readCheckpoint(checkpointPath(path));
    if (last === null || last.boot !== boot || last.rings !== rings) return;
    this.#pipeline.resume(progressAfter(last, await countLinesFrom(path, last.file)));
  }

  /** Says first what the batch is, so that the next agent can tell from the file which of it was written. */
  #append(bytes: Buffer, lines: readonly ExportedLine[]): Promise<void> {
    const { exportFile, log } = this.#options;
    if (this.#file === null || exportFile === null) return Promise.resolve();
    return this.#file.append(bytes, (file) => {
      if (this.#origin === null) return;
      try {
        const batch = lines.map(({ emitted }) => emitted.origin);
        writeCheckpoint(checkpointPath(exportFile.path), { ...this.#origin, file, streams: this.#checkpoint.progress(), batch });
      } catch (error) {
        log.warn('Could not write the checkpoint of the export', { error });
      }
    });
  }

  #schedule(): void {
    this.#timer ??= this.#options.clock.setTimer(TICK_MS, () => {
      this.#timer = null;
      this.#tick();
      this.#schedule();
    });
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#timeReadMs > TIME_REFRESH_MS) {
      this.#timeReadMs = nowMs;
      this.#time = this.#options.readTime();
    }
    this.#queue.push(this.#pipeline.tick(nowMs));
    this.#acknowledgeDone();
  }

  #acknowledgeDone(): void {
    const done = this.#checkpoint.doneBytes(this.#receivedBytes);
    if (done <= this.#acknowledgedBytes) return;
    this.#acknowledgedBytes = done;
    this.#acknowledge(done);
  }

  #afterBatch(lines: readonly ExportedLine[]): void {
    if (this.#file !== null && this.#queue.fault === null) this.#published = this.#file.position;
    this.#acknowledgeDone();
    this.#options.onLines(lines);
  }

  /** The loader's word for a full ring. The same records show as gaps in the numbers, which become lines: here they are counted only. */
  #ringLoss(record: LossRecord): void {
    const ring = record.reason === 1 ? 'critical' : 'telemetry';
    const counter = this.#options.metrics.counter('agent_ring_lost_total', 'Records that did not fit into a ring.', ['ring']);
    counter.inc({ ring }, Number(record.count));
    this.#options.log.warn('A ring was full', { ring, records: Number(record.count) });
  }

  #alarm(record: AlarmRecord): void {
    const { name, meaning } = alarmOf(record.code);
    this.#options.metrics.counter('agent_kernel_alarms_total', 'Alarms of the engine.', ['alarm']).inc({ alarm: name }, Number(record.a));
    this.#options.log.error('The engine raised an alarm', { alarm: name, meaning, times: Number(record.a) });
  }

  #measure(): void {
    const { metrics } = this.#options;
    const set = (name: string, help: string, value: number): void => metrics.gauge(name, help).set({}, value);
    set('agent_process_cache_size', 'Process images in the cache.', this.#cache.size);
    set('agent_process_cache_misses', 'Parents that were not in the cache, since start.', this.#cache.counts.misses);
    set('agent_process_cache_evictions', 'Images that were dropped because the cache was full, since start.', this.#cache.counts.evictions);
    set('agent_records', 'Records read, since start.', this.#pipeline.counts.records);
    set('agent_records_again', 'Records that the loader sent again and that were taken before, since start.', this.#pipeline.counts.again);
    set('agent_events', 'Events made, since start.', this.#pipeline.counts.events);
    set('agent_events_without_process', 'Events whose process was never announced, since start.', this.#pipeline.counts.withoutProcess);
    set(
      'agent_matches_without_meaning',
      'Matches of a generation that the agent does not know, since start.',
      this.#pipeline.counts.withoutMeaning,
    );
    set('agent_events_without_pod', 'Events of a pod that the hub has not told of, since start.', this.#pipeline.counts.withoutPod);
    set('agent_records_waiting', 'Records that wait for their process or pod.', this.#pipeline.waiting);
    set(
      'agent_waiting_overflows',
      'Times that records left a waiting room early because it was full, since start.',
      this.#pipeline.overflows,
    );
    set('agent_bad_records', 'Records that could not be read, since start.', this.#badRecords);
  }
}

function checkpointPath(exportPath: string): string {
  return `${exportPath}.checkpoint`;
}
