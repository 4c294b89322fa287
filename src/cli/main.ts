#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { CliError, type CliIo } from './cli-io.ts';

const stopper = new AbortController();
let interrupts = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    interrupts += 1;
    // The second Ctrl-C ends a command that hangs in its clean-up.
    if (interrupts > 1) process.exit(130);
    stopper.abort();
  });
}
// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const io: CliIo = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  isTerminal: process.stdout.isTTY,
  environment: process.env,
  signal: stopper.signal,
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

/** Each command brings its own libraries: only those of the one that is run are loaded, which a slow node notices. */
const COMMANDS: Readonly<Record<string, (program: Command) => Promise<void>>> = {
  events: async (program) => (await import('./events-command.ts')).addEventsCommand(program, io),
  status: async (program) => (await import('./status-command.ts')).addStatusCommand(program, io),
  check: async (program) => (await import('./check-command.ts')).addCheckCommand(program, io),
  run: async (program) => (await import('./run-command.ts')).addRunCommand(program, io, readVersion()),
  node: async (program) => (await import('./node-command.ts')).addNodeCommand(program, io),
  uninstall: async (program) => (await import('./uninstall-command.ts')).addUninstallCommand(program, io),
  version: async (program) => (await import('./version-command.ts')).addVersionCommand(program, io, readVersion()),
};

const program = new Command('palisade')
  .description('eBPF runtime security for Kubernetes: what the policies do, and what happens on the nodes')
  .showHelpAfterError('(palisade --help shows how)')
  .exitOverride();

try {
  const wanted = COMMANDS[process.argv[2] ?? ''];
  if (wanted === undefined) for (const add of Object.values(COMMANDS)) await add(program);
  else await wanted(program);
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`palisade: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof CliError ? error.exitCode : 2;
  }
}
