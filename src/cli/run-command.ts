import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { NodeAgent } from '../nodeagent/agent.ts';
import { EXEMPT_EXECUTABLES, type AgentFlags } from '../nodeagent/agent-options.ts';
import { policyOf, type AgentEvent } from '../nodeagent/events/event.ts';
import { readKernelTime, readKtimeNs } from '../nodeagent/kernel-clock.ts';
import { policyLabel, type Choice } from '../nodeagent/state/choose-plans.ts';
import { bind } from '../policy/bind.ts';
import { formatLocated } from '../policy/document/locate.ts';
import type { PlanScope } from '../policy/plan.ts';
import { systemClock } from '../telemetry/clock.ts';
import { createHealth } from '../telemetry/health.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { CliError, writeOut, type CliIo } from './cli-io.ts';
import { compactLine } from './compact-line.ts';
import { isColorful } from './output-style.ts';
import { checkPolicy, readPolicyFiles, type CheckedPolicy } from './policy-files.ts';
import { findLoader, startLoader, type StandaloneLoader } from './standalone-loader.ts';
import { storePolicies } from './standalone-policies.ts';

type RunFlags = {
  readonly output: 'compact' | 'json';
  readonly all?: true;
  readonly loader?: string;
  readonly loaderSocket?: string;
  readonly bpffs: string;
  readonly exportFile?: string;
  readonly logLevel: LogLevel;
  readonly color: 'auto' | 'always' | 'never';
};

const EXAMPLES = `
Examples:
  sudo palisade run policy.yaml           enforce a policy on this host and print what it sees
  sudo palisade run --all policies/       and every exec and exit besides
  sudo palisade run -o json policy.yaml

No Kubernetes: selectors about pods match nothing here. Ends with Ctrl-C, and leaves nothing behind. Where the kernel cannot do what a
policy asks, every hook is named with its reason, nothing is loaded, and the exit code is 1.`;

const MAX_PLAN_BYTES = 64 << 20;
/** Nothing to wait for: there is no hub that could name containers. */
const NO_WAIT_MS = 0;

export function addRunCommand(program: Command, io: CliIo, version: string): void {
  program
    .command('run')
    .description('Run policies from files on this host, without Kubernetes')
    .argument('<path...>', 'files or folders of policies')
    .addOption(
      new Option('-o, --output <format>', 'one line each for people, or JSON as exported').choices(['compact', 'json']).default('compact'),
    )
    .option('--all', 'print every exec and exit, not only what policies see')
    .option('--loader <file>', 'the loader to start (default: palisade-loader on the PATH)')
    .option('--loader-socket <path>', 'use a loader that runs already')
    .option('--bpffs <dir>', 'where the BPF file system is mounted', '/sys/fs/bpf')
    .option('--export-file <file>', 'also write events here as JSON lines')
    .addOption(new Option('--log-level <level>', 'operational log on standard error').choices([...LOG_LEVELS]).default('warn'))
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: RunFlags) => runStandalone(paths, flags, io, version));
}

async function runStandalone(paths: readonly string[], flags: RunFlags, io: CliIo, version: string): Promise<void> {
  const policies = await goodPolicies(paths, io);
  if (policies === null) return;
  const folder = mkdtempSync(join(tmpdir(), 'palisade-run-'));
  let loader: StandaloneLoader | null = null;
  try {
    const loaderSocket = flags.loaderSocket ?? null;
    if (loaderSocket === null) {
      const uid = process.getuid?.() ?? 0;
      if (uid !== 0) throw new CliError('loading programs into the kernel needs root; use sudo');
      const program = findLoader(flags.loader ?? null, io.environment);
      loader = startLoader({ program, folder, bpffs: join(flags.bpffs, `palisade-run-${process.pid}`), uid });
    }
    await storePolicies(join(folder, 'plans'), MAX_PLAN_BYTES, policies);
    await serve({ flags, io, version, folder, loader, loaderSocket: loaderSocket ?? loader?.socket ?? '' });
  } finally {
    await loader?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Serving = {
  readonly flags: RunFlags;
  readonly io: CliIo;
  readonly version: string;
  readonly folder: string;
  readonly loader: StandaloneLoader | null;
  readonly loaderSocket: string;
};

async function serve({ flags, io, version, folder, loader, loaderSocket }: Serving): Promise<void> {
  const color = flags.color === 'always' || (flags.color === 'auto' && isColorful(io, 'stdout') && flags.output === 'compact');
  const stopper = new AbortController();
  let settled: () => void = () => {};
  const firstAttempt = new Promise<void>((resolve) => {
    settled = resolve;
  });
  let output = Promise.resolve();
  const show = (event: AgentEvent): void => {
    if (flags.all === undefined && policyOf(event) === undefined && !('palisade_loss' in event)) return;
    const line = flags.output === 'json' ? JSON.stringify(event) : compactLine(event, { color });
    output = output.then(() => writeOut(io.stdout, `${line}\n`));
  };
  const agent = new NodeAgent({
    flags: agentFlags(flags, folder, loaderSocket),
    agentVersion: version,
    readTime: readKernelTime,
    nowKtimeNs: readKtimeNs,
    clock: systemClock,
    log: createLog({ level: flags.logLevel, component: 'agent' }),
    metrics: createMetrics(),
    health: createHealth(),
    random: Math.random,
    signal: stopper.signal,
    onLines: (lines) => {
      for (const { emitted } of lines) show(emitted.event);
    },
    onSettled: () => settled(),
  });
  const running = agent.run();
  const interrupted = new Promise<'interrupted'>((resolve) => {
    if (io.signal.aborted) resolve('interrupted');
    io.signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  const died = loader === null ? new Promise<never>(() => {}) : loader.ended;
  const first = await Promise.race([firstAttempt.then(() => 'settled' as const), interrupted, died.then((log) => ({ log }))]);
  if (typeof first === 'object') {
    io.stderr.write(`palisade: the loader ended: ${first.log === '' ? 'it said nothing' : first.log}\n`);
    io.setExitCode(1);
  } else if (first === 'settled') {
    if (isAllLoaded(agent)) {
      announce(agent, io);
      const end = await Promise.race([interrupted, died.then((log) => ({ log }))]);
      if (typeof end === 'object') {
        io.stderr.write(`palisade: the loader ended: ${end.log}\n`);
        io.setExitCode(1);
      }
    } else {
      tellFailures(agent, io);
      io.setExitCode(1);
    }
  }
  if (typeof first !== 'object') {
    const { left } = await agent.purge('keep events');
    for (const what of left) io.stderr.write(`palisade: left behind: ${what}\n`);
  }
  stopper.abort();
  await running;
  await output;
}

function isAllLoaded(agent: NodeAgent): boolean {
  const { choices, running, fault } = agent.runner;
  return fault === null && choices.every((choice) => choice.state === 'wished' && running.has(choice.entry.uid));
}

function announce(agent: NodeAgent, io: CliIo): void {
  for (const { entry } of agent.runner.choices) {
    const running = agent.runner.running.get(entry.uid);
    for (const hook of running?.hooks ?? []) {
      const notes = hook.notes.length === 0 ? '' : `, ${hook.notes.join(', ')}`;
      io.stderr.write(`palisade: ${policyLabel(entry)}: ${hook.name} by ${hook.method} (${running?.mode ?? ''}${notes})\n`);
    }
  }
  const { length } = agent.runner.choices;
  const count = length === 1 ? '1 policy runs' : `${length} policies run`;
  io.stderr.write(`palisade: ${count} on ${hostname()} (${agent.kernel?.release ?? ''}); Ctrl-C ends ${length === 1 ? 'it' : 'them'}\n`);
}

function tellFailures(agent: NodeAgent, io: CliIo): void {
  const { choices, fault } = agent.runner;
  for (const choice of choices) for (const line of failureLines(choice, agent)) io.stderr.write(`palisade: ${line}\n`);
  if (fault !== null) io.stderr.write(`palisade: ${fault.reason}: ${fault.message}\n`);
}

/** Every hook that this kernel has no way for; where all have one, the one that could not be loaded. */
function failureLines(choice: Choice, agent: NodeAgent): string[] {
  if (choice.failure === null) return [];
  const { failure, entry } = choice;
  const plan = choice.entry.digest === null ? undefined : agent.runner.plan(choice.entry.digest);
  const bound = plan === undefined || agent.kernel === null ? [] : bind(plan, agent.kernel, entry.mode);
  const lines = bound.flatMap((hook) =>
    hook.failure === null ? [] : [`${policyLabel(entry)}: ${hook.path}: ${hook.failure.reason}: ${hook.failure.message}`],
  );
  return lines.length > 0 ? lines : [`${policyLabel(entry)}: ${failure.hook ?? 'spec'}: ${failure.reason}: ${failure.message}`];
}

async function goodPolicies(paths: readonly string[], io: CliIo): Promise<Extract<CheckedPolicy, { ok: true }>[] | null> {
  const files = await readPolicyFiles(paths, io.stdin);
  const checked = files.documents.map(checkPolicy);
  const problems = [...files.problems, ...checked.flatMap((one) => (one.ok ? one.warnings : one.problems))];
  for (const problem of problems) io.stderr.write(`palisade: ${formatLocated(problem)}\n`);
  for (const { source, kind } of files.skipped) io.stderr.write(`palisade: ${source}: skipped, ${kind} is no policy\n`);
  const good = checked.flatMap((one) => (one.ok ? [one] : []));
  for (const { source, compiled } of good)
    if (isAboutPods(compiled.plan.scope))
      io.stderr.write(`palisade: ${source}: is about pods only; without Kubernetes it matches nothing\n`);
  if (good.length === checked.length && files.problems.length === 0) return good;
  io.setExitCode(1);
  return null;
}

function isAboutPods({ namespace, podSelector, containerSelector, host }: PlanScope): boolean {
  return host === undefined && (namespace !== null || podSelector !== null || containerSelector !== undefined);
}

function agentFlags(flags: RunFlags, folder: string, loaderSocket: string): AgentFlags {
  return {
    nodeName: hostname(),
    hubUrl: null,
    hubCaFile: '',
    tokenFile: '',
    loaderSocket,
    eventsSocket: join(folder, 'events.sock'),
    plansDir: join(folder, 'plans'),
    plansMaxBytes: MAX_PLAN_BYTES,
    exportFile: flags.exportFile ?? null,
    exportMaxBytes: 10_000_000,
    exportBackups: 5,
    metricsListen: { host: '127.0.0.1', port: 0 },
    cgroupRoot: '/sys/fs/cgroup',
    exemptPaths: [...EXEMPT_EXECUTABLES, process.execPath],
    logLevel: flags.logLevel,
    times: {
      redialBaseMs: 1000,
      redialMaxMs: 1000,
      loaderRetryMs: 100,
      loaderDownMs: 10_000,
      applyRetryMs: 30_000,
      identityWaitMs: NO_WAIT_MS,
      cgroupWalkMs: 30_000,
      activityMs: 60_000,
      exportFlushMs: 50,
    },
  };
}
