import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { stages, type Stage } from './stages.ts';
import { failureList, lastLines, vitestFailures, type Failure } from './test/failure-list.ts';
import { addTallies, cargoTally, closingLine, emptyTally, orOneFailure, vitestTally, type Tally } from './test/tally.ts';

/**
 * Runs the steps of `make test` and ends with one line over all of them: `N passed, N failed`.
 * `--only lint` (or build, test, or a step's name) runs a part.
 */
const root = path.join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const out = path.join(root, '.out');
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

/** Characters of a step's output that are kept for counting and for the end: more than cargo's closing lines need. */
const mostOutput = 1 << 20;

function run(stage: Stage): Promise<{ status: number; output: string }> {
  const [program, ...args] = stage.argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, ...stage.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-mostOutput);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      keep(chunk);
      process.stdout.write(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      keep(chunk);
      process.stderr.write(chunk);
    });
    child.on('error', (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve({ status: 127, output });
    });
    child.on('close', (status) => resolve({ status: status ?? 1, output }));
  });
}

async function count(stage: Stage, output: string): Promise<Tally> {
  if (stage.counts === 'nothing') return emptyTally;
  if (stage.counts === 'cargo') return cargoTally(output);
  return vitestTally(await vitestReport(stage.counts.vitestReport));
}

const vitestReport = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '{}');

async function failuresOf(stage: Stage, output: string): Promise<readonly Failure[]> {
  if (typeof stage.counts === 'string') return [lastLines(stage.name, output)];
  const failures = vitestFailures(await vitestReport(stage.counts.vitestReport));
  return failures.length > 0 ? failures : [lastLines(stage.name, output)];
}

const wanted = stages({
  node: process.execPath,
  out,
  isRoot: process.getuid?.() === 0,
  exists: (file) => existsSync(path.join(root, file)),
}).filter((stage) => values.only === undefined || stage.group === values.only || stage.name.startsWith(values.only));
let total = emptyTally;
const failed: string[] = [];
const failures: Failure[] = [];
for (const stage of wanted) {
  const startedMs = performance.now();
  process.stdout.write(`\n== ${stage.name}\n`);
  const { status, output } = await run(stage);
  total = addTallies(total, orOneFailure(await count(stage, output), status));
  process.stdout.write(
    `== ${stage.name}: ${status === 0 ? 'passed' : 'FAILED'} after ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`,
  );
  if (status !== 0) {
    failed.push(stage.name);
    failures.push(...(await failuresOf(stage, output)));
  }
  if (status !== 0 && stage.vital === 'yes') break;
}
if (failed.length > 0) process.stdout.write(`\nFailed: ${failed.join(', ')}\n${failureList(failures)}\n`);
process.stdout.write(`\n${closingLine(total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
