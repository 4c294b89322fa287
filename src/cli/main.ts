#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { CliError, type CliIo } from './cli-io.ts';
import { COMMANDS, addCommands } from './commands.ts';
import { tooOldNode } from './node-version.ts';
import { didYouMean } from '../policy/nearest.ts';

let stopper: AbortController | undefined;

/** From the first call on, Ctrl-C is what the command makes of it. */
function stopSignal(): AbortSignal {
  if (stopper !== undefined) return stopper.signal;
  const created = new AbortController();
  stopper = created;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // The second Ctrl-C ends a command that hangs in its clean-up.
      if (created.signal.aborted) process.exit(130);
      created.abort();
    });
  }
  return created.signal;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no failure.
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`palisade: standard output: ${error.message}\n`);
  process.exit(2);
});
// Nobody reads the messages: the answer is still wanted.
process.stderr.on('error', () => undefined);

const io: CliIo = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  isTerminal: process.stdout.isTTY,
  isErrorTerminal: process.stderr.isTTY,
  isInputTerminal: process.stdin.isTTY,
  environment: process.env,
  get signal() {
    return stopSignal();
  },
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

/** The version of the package, wherever it was built to: `dist/src/cli/main.js` or `src/cli/main.ts`. */
function readVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const file: unknown = JSON.parse(readFileSync(fileURLToPath(new URL(up, import.meta.url)), 'utf8'));
      if (typeof file === 'object' && file !== null && 'version' in file && typeof file.version === 'string') return file.version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}

const version = readVersion();
// kubectl finds `kubectl-palisade` in the path and runs it for `kubectl palisade`.
const isPlugin = path.basename(process.argv[1] ?? '').startsWith('kubectl-palisade');
const program = new Command(isPlugin ? 'kubectl palisade' : 'palisade')
  .description('eBPF runtime security for Kubernetes: what the policies do, and what happens on the nodes')
  .version(version, '-V, --version', 'print the version; "palisade version" says more')
  .helpOption('-h, --help', 'show help')
  .helpCommand('help [command]', 'show help of a command')
  .showHelpAfterError('(--help shows how)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'palisade:')) })
  .exitOverride();

try {
  const tooOld = tooOldNode(process.versions.node, process.execPath);
  if (tooOld !== undefined) throw new CliError(tooOld);
  const args = process.argv.slice(2);
  // `palisade help lint` is `palisade lint --help`.
  const [first = '--help', ...rest] = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
  const wanted = COMMANDS.find(({ name }) => name === first);
  if (wanted === undefined && !first.startsWith('-')) {
    const hint = didYouMean(
      first,
      COMMANDS.map(({ name }) => name),
    );
    throw new CliError(`unknown command ${JSON.stringify(first.slice(0, 64))}; ${hint ?? '"palisade help" lists all'}`);
  }
  const isVersion = first === '--version' || first === '-V';
  await addCommands(program, { io, version }, wanted !== undefined ? [wanted] : isVersion ? [] : COMMANDS);
  await program.parseAsync([first, ...rest], { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`palisade: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof CliError ? error.exitCode : 2;
  }
}
