import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseYaml } from 'yaml';
import { compile } from '../src/policy/compile.ts';
import { parse } from '../src/policy/parse.ts';
import { formatProblem } from '../src/policy/problem.ts';
import { median, percentile } from './figures.ts';
import { limitPolicy } from './limit-policy.ts';
import { printTable } from './table.ts';

const seeds = path.join(import.meta.dirname, '../examples/seed');
const seedRuns = 500;
const limitRuns = 40;

/** From an object to a plan: the policies of the seed, and one at every limit at once. */
export function benchCompile(): void {
  const rows: (string | number)[][] = [['parse and compile', 'plan, KiB', 'median, ms', 'p99, ms', 'p99, ratio']];
  const files = readdirSync(seeds).filter((file) => file.endsWith('.yaml'));
  const policies = files.map((file) => ({ name: file, object: parseYaml(readFileSync(path.join(seeds, file), 'utf8')), runs: seedRuns }));
  let first: number | null = null;
  for (const { name, object, runs } of [...policies, { name: 'at every limit at once', object: limitPolicy(), runs: limitRuns }]) {
    const times: number[] = [];
    let bytes = 0;
    for (let run = 0; run < runs + 3; run += 1) {
      const fromMs = performance.now();
      bytes = planBytes(object);
      // The first ones are the engine's warming up.
      if (run >= 3) times.push(performance.now() - fromMs);
    }
    const p99 = percentile(times, 99);
    first ??= p99;
    rows.push([name, bytes / 1024, median(times), p99, `${(p99 / first).toFixed(0)} : 1`]);
  }
  printTable(`Compiling, native, ${seedRuns} runs (${limitRuns} at the limits)`, rows);
}

function planBytes(object: unknown): number {
  const parsed = parse(object);
  if (!parsed.ok) throw new Error(parsed.problems.slice(0, 5).map(formatProblem).join('\n'));
  const compiled = compile(parsed.value);
  if (!compiled.ok) throw new Error(compiled.problems.slice(0, 5).map(formatProblem).join('\n'));
  return Buffer.byteLength(compiled.value.text);
}
