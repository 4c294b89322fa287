import { readRecord } from '../../src/abi/record.ts';
import type { ExecRecord, HookRecord, PalRecord } from '../../src/abi/record-types.ts';
import { SequenceTracker } from '../../src/nodeagent/events/sequence-tracker.ts';
import { consumeEvents } from '../../src/nodeagent/loader/event-stream.ts';
import { waitUntil } from '../cluster/wait-until.ts';

/** All records that a loader has delivered, in the order of their arrival. */
export type RecordLog = {
  /** Subscribes at a loader's socket; a subscription ends with its loader. Resolves when records are drained. */
  readonly subscribe: (socket: string) => Promise<void>;
  /** Nobody reads any more, until the next subscription. */
  readonly unsubscribe: () => void;
  readonly all: () => readonly PalRecord[];
  readonly hooks: () => readonly HookRecord[];
  readonly execs: () => readonly ExecRecord[];
  /** Forgets what came so far. */
  readonly clear: () => void;
  /** Waits for hook records to be at least so many; says what came when they are not. */
  readonly atLeast: (count: number) => Promise<readonly HookRecord[]>;
};

export function createRecordLog(): RecordLog {
  let subscription = new AbortController();
  let records: PalRecord[] = [];
  // A loader that was killed may have handed over what its successor sends again.
  const tracker = new SequenceTracker({ graceMs: Infinity });
  const hooks = (): HookRecord[] => records.filter((record) => record.kind === 'hook');
  const keep = (bytes: Buffer): void => {
    // The reader's text is a view into the connection's buffer.
    const read = readRecord(Buffer.from(bytes));
    if (!read.ok) throw new Error(`record of ${bytes.length} bytes: ${read.problem.message}`);
    const { header } = read.record;
    const isOfRing = header.seq !== 0n;
    if (isOfRing && tracker.note(`${header.ring}-${header.cpu}`, header.seq, 0).kind === 'again') return;
    records.push(read.record);
  };
  return {
    subscribe: (socket) =>
      new Promise((resolve, reject) => {
        subscription = new AbortController();
        let doneBytes = 0;
        let acknowledge: (bytes: number) => void = () => undefined;
        // A loader that is killed ends its subscription: the next one gets another. What is on its way when nobody reads any more comes again.
        consumeEvents({
          path: socket,
          signal: subscription.signal,
          delivery: 'until acknowledged',
          onOpen: (tell) => {
            acknowledge = tell;
            resolve();
          },
          onRecords: (batch) => {
            batch.forEach(keep);
            doneBytes += batch.reduce((sum, { length }) => sum + length, 0);
            acknowledge(doneBytes);
          },
        }).catch(reject);
      }),
    unsubscribe: () => subscription.abort(),
    all: () => records,
    hooks,
    execs: () => records.filter((record) => record.kind === 'exec'),
    clear: () => {
      records = [];
    },
    atLeast: (count) =>
      waitUntil(
        `${count} hook records`,
        () => {
          const found = hooks();
          if (found.length >= count) return found;
          throw new Error(`${found.length} hook records, and ${records.length - found.length} others`);
        },
        { timeoutMs: 15_000, everyMs: 20 },
      ),
  };
}
