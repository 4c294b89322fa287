import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from './cli-io.ts';

const PROGRAM = 'palisade-loader';
const STOP_TIMEOUT_MS = 5000;
const MAX_LOG_CHARS = 8192;

/** A loader that belongs to one `palisade run`: own socket, own pins, own state. */
export type StandaloneLoader = {
  readonly socket: string;
  /** Resolves when it has ended, with what it said last. */
  readonly ended: Promise<string>;
  /** Ends it, and removes what a tear-down left of its folders. */
  stop(): Promise<void>;
};

/** `given`, else next to this program, else on the PATH. Throws CliError where there is none. */
export function findLoader(given: string | null, environment: Readonly<Record<string, string | undefined>>): string {
  if (given !== null) {
    if (isExecutable(given)) return given;
    throw new CliError(`--loader ${given} cannot be executed`);
  }
  const beside = ['../../../target/release', '../../target/release'].map((folder) =>
    fileURLToPath(new URL(`${folder}/${PROGRAM}`, import.meta.url)),
  );
  const onPath = (environment['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, PROGRAM));
  const found = [...onPath, ...beside].find(isExecutable);
  if (found === undefined)
    throw new CliError(`${PROGRAM} is neither on the PATH nor built here ("make build" builds it); --loader names another place`);
  return found;
}

export function startLoader(options: {
  readonly program: string;
  readonly folder: string;
  readonly bpffs: string;
  readonly uid: number;
}): StandaloneLoader {
  const { program, folder, bpffs, uid } = options;
  const socket = join(folder, 'loader.sock');
  // A group of its own: Ctrl-C is for us alone, who then have it tear down what it loaded.
  const child = spawn(program, ['serve', '--socket', socket, '--bpffs', bpffs, '--state', folder, '--peer-uid', String(uid)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const keep = (chunk: Buffer): void => {
    log = `${log}${chunk.toString('utf8')}`.slice(-MAX_LOG_CHARS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(log.trim()));
  });
  return {
    socket,
    ended,
    stop: async () => {
      await stopChild(child, ended);
      rmSync(folder, { recursive: true, force: true });
      await rmdir(bpffs).catch(() => {});
    },
  };
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path);
  } catch {
    return false;
  }
}
