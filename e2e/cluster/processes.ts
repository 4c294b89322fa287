import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that the cluster runs on the host. */
export type ProcessSpec = {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Whether it is started again when it ends: a control plane's program that ends is a failure to look at. */
  readonly onEnd: 'restart' | 'report';
};

export type HostProcess = {
  readonly name: string;
  /** Undefined while it is down. */
  readonly pid: () => number | undefined;
  readonly restarts: () => number;
  readonly logFile: string;
  /** The last lines it has printed. */
  readonly logTail: () => Promise<string>;
  readonly isRunning: () => boolean;
};

/** All processes of one cluster. They end with it, and with the process that started them, however that ends. */
export type ProcessGroup = {
  readonly start: (spec: ProcessSpec) => HostProcess;
  readonly list: () => readonly HostProcess[];
  readonly stop: () => Promise<void>;
};

const restartDelayMs = 300;
const stopGraceMs = 5_000;

/** Where the process id of a running process is to be read, by tests that end it. */
export function pidFile(folder: string, name: string): string {
  return path.join(folder, `${name}.pid`);
}

/** Makes a group whose processes log to `folder`/NAME.log. */
export function processGroup(folder: string): ProcessGroup {
  const running: { process: HostProcess; end: () => Promise<void> }[] = [];
  let stopping = false;
  const start = (spec: ProcessSpec): HostProcess => {
    const logFile = path.join(folder, `${spec.name}.log`);
    let child: ChildProcess | undefined;
    let restarts = 0;
    const launch = (): void => {
      const log = openSync(logFile, 'a');
      const [program, ...args] = ['setpriv', '--pdeathsig', 'KILL', ...spec.argv];
      child = spawn(program, args, {
        stdio: ['ignore', log, log],
        env: spec.env ?? process.env,
        ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      });
      closeSync(log);
      if (child.pid !== undefined) writeFileSync(pidFile(folder, spec.name), String(child.pid));
      child.on('error', (error) => void appendFile(logFile, `${spec.name}: ${error.message}\n`));
      child.on('close', (status, signal) => {
        child = undefined;
        if (stopping) return;
        void appendFile(logFile, `-- ${spec.name} ended with ${signal ?? status}\n`);
        if (spec.onEnd === 'restart') {
          restarts += 1;
          setTimeout(() => (stopping ? undefined : launch()), restartDelayMs);
        }
      });
    };
    launch();
    const end = async (): Promise<void> => {
      const target = child;
      if (target === undefined) return;
      const closed = new Promise((resolve) => target.once('close', resolve));
      target.kill('SIGTERM');
      if ((await Promise.race([closed, sleep(stopGraceMs, 'late')])) === 'late') target.kill('SIGKILL');
      await closed;
    };
    const hostProcess: HostProcess = {
      name: spec.name,
      pid: () => child?.pid,
      restarts: () => restarts,
      logFile,
      logTail: async () => (await readFile(logFile, 'utf8').catch(() => '')).split('\n').slice(-20).join('\n'),
      isRunning: () => child !== undefined,
    };
    running.push({ process: hostProcess, end });
    return hostProcess;
  };
  return {
    start,
    list: () => running.map((entry) => entry.process),
    stop: async () => {
      stopping = true;
      // The last started first: a program ends before those that it uses.
      for (const entry of running.toReversed()) await entry.end();
    },
  };
}
