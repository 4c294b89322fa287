import type { Readable, Writable } from 'node:stream';
import { printableText } from './printable-text.ts';

/** Everything a command takes from and gives to the outside; main.ts makes it from the process. */
export type CliIo = {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Of stdout. */
  readonly isTerminal: boolean;
  /** Of stderr. */
  readonly isErrorTerminal: boolean;
  /** Of stdin. */
  readonly isInputTerminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C or SIGTERM. A command that never asks for it is ended by them at once, also while it waits for input. */
  readonly signal: AbortSignal;
  setExitCode(code: ExitCode): void;
};

/** 0 all well; 1 the answer is no (a policy does not load, a node was not reached); 2 used wrongly, or what was asked for is not there. */
export type ExitCode = 0 | 1 | 2;

/** A failure that is told in one line, without a stack. */
export class CliError extends Error {
  readonly code = 'CLI';
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A line for people on standard error. What nodes and tenants wrote may be in it. */
export function tell(io: Pick<CliIo, 'stderr'>, text: string): void {
  io.stderr.write(`palisade: ${printableText(text)}\n`);
}

/** Resolves when the reader is ready for more: output to a slow pipe must not pile up in memory. */
export async function writeOut(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed || stream.write(text)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
  });
}
