import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PAL_C_LOST, PAL_C_POST } from '../src/abi/layout.ts';
import { EventPlant } from '../src/nodeagent/events/event-plant.ts';
import { kernelTimeFrom } from '../src/nodeagent/events/kernel-time.ts';
import type { Meanings } from '../src/nodeagent/events/meaning.ts';
import { consumeEvents } from '../src/nodeagent/loader/event-stream.ts';
import { systemClock } from '../src/telemetry/clock.ts';
import { silentLog } from '../src/telemetry/log.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { waitUntil } from '../e2e/cluster/wait-until.ts';
import { bootKernel } from '../e2e/kernels/kernel-under-test.ts';
import type { KernelName } from '../e2e/vm/kernels.ts';
import { reportOpens } from './policies.ts';
import { printTable } from './table.ts';

const opens = 20_000;
const exportLimits = { maxBytes: 1 << 30, backups: 1 };

/** Events from the kernel's hook to lines of the NDJSON file: as fast as an emulated kernel makes them, then the agent's part natively. */
export async function benchEvents(name: KernelName): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'palisade-bench-'));
  try {
    await using kernel = await bootKernel(name, { build: 'release' });
    const running = await kernel.apply([reportOpens('/t/free/')]);
    const number = running.get('report-opens')?.number ?? -1;
    const stopped = new AbortController();
    const records: Buffer[] = [];
    const plant = plantInto(path.join(folder, 'live.log'), kernel.meanings);
    await plant.open('live', 1);
    await new Promise<void>((resolve, reject) => {
      const onRecords = (batch: readonly Buffer[]): void => {
        for (const bytes of batch) {
          records.push(Buffer.from(bytes));
          plant.take(bytes);
        }
      };
      const onOpen = (acknowledge: (doneBytes: number) => void): void => {
        plant.streamOpened(acknowledge);
        resolve();
      };
      const { signal } = stopped;
      consumeEvents({ path: kernel.vm.socket, signal, delivery: 'until acknowledged', onOpen, onRecords }).catch(reject);
    });
    const fromMs = performance.now();
    const { stdout } = await kernel.runActor('spin', '1', String(opens), '/t/free/one');
    const counters = (await kernel.counters()).policies.get(number) ?? [];
    const posted = Number(counters[PAL_C_POST] ?? 0n);
    const lost = Number(counters[PAL_C_LOST] ?? 0n);
    const lines = await linesOf(path.join(folder, 'live.log'), posted - lost);
    const seconds = (performance.now() - fromMs) / 1000;
    stopped.abort();
    await plant.close();
    const replay = await replayed(path.join(folder, 'replay.log'), records, kernel.meanings);
    printTable(`Events, ${name} → NDJSON file (the kernel is emulated; the agent's part is not)`, [
      ['', 'calls', 'events in the file', 'lost', 'events/s'],
      ['kernel → loader → agent → file', posted, lines, lost, Math.round(lines / seconds)],
      ['of that, the calls alone', opens, '', '', Math.round(opens / (Number(stdout.split(' ')[0]) / 1e9))],
      ['records → agent → file', records.length, replay.lines, records.length - replay.records, Math.round(replay.lines / replay.seconds)],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function plantInto(file: string, meanings: Meanings): EventPlant {
  const sample = { wallMs: Date.now(), monotonicNs: process.hrtime.bigint(), bootSeconds: null };
  const plant = new EventPlant({
    nodeName: 'bench',
    arch: 'x86_64',
    exportFile: { path: file, ...exportLimits },
    limits: {
      maxWaiting: 8_192,
      recordWaitMs: 100,
      identityWaitMs: 0,
      maxProcesses: 10_000,
      processLingerMs: 1_000,
      sequenceGraceMs: 1_000,
    },
    flushMs: 100,
    maxQueuedBytes: 1 << 30,
    readTime: () => kernelTimeFrom(sample),
    nowKtimeNs: () => process.hrtime.bigint(),
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
    onLines: () => undefined,
    onCgroup: () => undefined,
    onHook: () => undefined,
  });
  plant.setMeanings(meanings);
  return plant;
}

async function countOf(file: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.includes('"report-opens"')).length;
}

function linesOf(file: string, wanted: number): Promise<number> {
  return waitUntil(
    `${wanted} lines`,
    async () => {
      const lines = await countOf(file);
      if (lines >= wanted) return lines;
      throw new Error(`${lines} of ${wanted}`);
    },
    { timeoutMs: 120_000, everyMs: 50 },
  );
}

async function replayed(
  file: string,
  records: readonly Buffer[],
  meanings: Meanings,
): Promise<{ lines: number; records: number; seconds: number }> {
  const plant = plantInto(file, meanings);
  await plant.open('replay', 1);
  const fromMs = performance.now();
  for (const bytes of records) plant.take(bytes);
  await plant.close();
  const seconds = (performance.now() - fromMs) / 1000;
  return { lines: await countOf(file), records: records.length, seconds };
}
