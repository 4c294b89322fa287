import type { CliIo } from './cli-io.ts';

/** Fewer are read before a person wonders. */
const FILES_WITHOUT_PROGRESS = 50;
const STEP_MS = 100;

export type Progress = { at(done: number): void; end(): void };

const SILENT: Progress = { at: () => undefined, end: () => undefined };

/** A line on stderr that says how far it is, where a person looks on; it is gone at the end. */
export function startProgress(io: Pick<CliIo, 'stderr' | 'isErrorTerminal'>, total: number, nowMs: () => number): Progress {
  if (!io.isErrorTerminal || total < FILES_WITHOUT_PROGRESS) return SILENT;
  let shownMs = Number.NEGATIVE_INFINITY;
  return {
    at: (done) => {
      if (nowMs() - shownMs < STEP_MS) return;
      shownMs = nowMs();
      io.stderr.write(`\r\u001b[K${done} of ${total} files`);
    },
    end: () => io.stderr.write('\r\u001b[K'),
  };
}
