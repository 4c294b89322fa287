import { parseArgs } from 'node:util';
import { measureCluster } from './cluster-figures.ts';
import { benchCompile } from './compile-figures.ts';
import { benchCompileLink, benchLargePolicy } from './compile-link.ts';
import { benchEvents } from './events.ts';
import { benchInstructions } from './instructions.ts';
import { benchLink } from './link-figures.ts';
import { benchStartUp } from './start-up.ts';

/** `make bench`: prints what the engine, the event path, the compiler, the linker, the command line and a cluster cost. `--only NAME` measures one of them. */
const parts = {
  instructions: () => benchInstructions(['6.12', '7.x']),
  events: () => benchEvents('6.12'),
  compile: () => Promise.resolve(benchCompile()),
  link: () => {
    benchCompileLink();
    benchLargePolicy();
    benchLink();
    return Promise.resolve();
  },
  start: () => Promise.resolve(benchStartUp()),
  cluster: () => measureCluster(process.env),
} as const;

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = Object.entries(parts).filter(([name]) => values.only === undefined || name === values.only);
if (wanted.length === 0) {
  process.stderr.write(`--only ${values.only}: must be one of ${Object.keys(parts).join(', ')}\n`);
  process.exitCode = 2;
}
for (const [name, measure] of wanted) {
  try {
    await measure();
  } catch (error) {
    process.stderr.write(`bench ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
}
process.exit();
