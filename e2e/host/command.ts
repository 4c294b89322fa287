import { spawn } from 'node:child_process';

/** What a finished command left behind. */
export type CommandOutput = { readonly stdout: string; readonly stderr: string };

/** A command that could not be started, or ended with a status other than 0. */
export class CommandFailed extends Error {
  readonly code = 'CommandFailed';
  readonly argv: readonly string[];
  readonly status: number | null;
  readonly stderr: string;

  constructor(argv: readonly string[], status: number | null, stderr: string) {
    const tail = stderr.trim().split('\n').slice(-15).join('\n');
    super(`${argv.join(' ').slice(0, 300)}: ended with ${status ?? 'a signal'}${tail === '' ? '' : `\n${tail}`}`);
    this.argv = argv;
    this.status = status;
    this.stderr = stderr;
  }
}

export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Bytes for the command's standard input; without it, the input is empty. */
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
};

/** Runs a command to its end and returns what it wrote; throws CommandFailed for any status other than 0. */
export function runCommand(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandOutput> {
  const [file, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A command that ends without reading its input closes the pipe: its status tells what happened.
    child.stdin.on('error', () => {});
    child.on('error', (error) => reject(new CommandFailed(argv, null, error.message)));
    child.on('close', (status) => {
      const output = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      if (status === 0) resolve(output);
      else reject(new CommandFailed(argv, status, output.stderr === '' ? output.stdout : output.stderr));
    });
    child.stdin.end(options.input ?? '');
  });
}
