import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../telemetry/clock.ts';
import { createHealth } from '../telemetry/health.ts';
import { startHealthServer } from '../telemetry/health-server.ts';
import { createLog } from '../telemetry/log.ts';
import { createProcessMetrics } from '../telemetry/metrics.ts';
import { stopSignal } from '../telemetry/stop-signal.ts';
import { NodeAgent } from './agent.ts';
import { agentHelp, readAgentFlags, type AgentFlags } from './agent-options.ts';
import { readKernelTime, readKtimeNs } from './kernel-clock.ts';

/** A drain that takes longer than this is cut off: the kubelet would kill us anyway, without a line in the log. */
const DRAIN_MS = 10_000;

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

async function main(flags: AgentFlags): Promise<void> {
  const log = createLog({ level: flags.logLevel, component: 'agent' });
  const metrics = createProcessMetrics();
  const health = createHealth();
  const signal = stopSignal(log);
  signal.addEventListener('abort', () => {
    setTimeout(() => {
      log.error('Could not stop in time', { drainMs: DRAIN_MS });
      process.exit(1);
    }, DRAIN_MS).unref();
  });
  await startHealthServer({ listen: flags.metricsListen, health, metrics, log, signal });
  const agent = new NodeAgent({
    flags,
    agentVersion: readVersion(),
    readTime: readKernelTime,
    nowKtimeNs: readKtimeNs,
    clock: systemClock,
    log,
    metrics,
    health,
    random: Math.random,
    signal,
  });
  log.info('The agent starts', { node: flags.nodeName, version: readVersion(), hub: flags.hubUrl });
  await agent.run();
  log.info('The agent ends');
}

if (process.argv.includes('--help')) {
  process.stdout.write(agentHelp());
} else {
  try {
    await main(readAgentFlags(process.argv.slice(2), process.env));
    process.exit(0);
  } catch (error) {
    process.stderr.write(`palisade agent: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(2);
  }
}
