import { link } from '../src/linker/link.ts';
import { testInput } from '../src/linker/testing/kernels.ts';
import { manyPaths, pathPolicies } from './policies.ts';
import { median } from './figures.ts';
import { printTable } from './table.ts';

const counts = [1, 8, 64] as const;
const runs = 9;

/** What a change of policies costs controller (compile) and agent (link), natively. */
export function benchCompileLink(): void {
  const rows: (string | number)[][] = [['policies', 'parse + compile, ms', 'link, ms', 'tables, KiB']];
  for (const count of counts) {
    const compileMs: number[] = [];
    const linkMs: number[] = [];
    let bytes = 0;
    for (let run = 0; run < runs; run += 1) {
      const fromMs = performance.now();
      const policies = pathPolicies(count, 'all processes');
      const compiledMs = performance.now();
      const node = link(testInput(policies));
      linkMs.push(performance.now() - compiledMs);
      compileMs.push(compiledMs - fromMs);
      bytes = node.hooks.reduce(
        (sum, hook) => sum + hook.table.length + Object.values(hook.rows).reduce((all, rowsOf) => all + rowsOf.length, 0),
        0,
      );
    }
    rows.push([count, median(compileMs), median(linkMs), bytes / 1024]);
  }
  printTable('Policies with two selectors on one hook, native, median of 9', rows);
}

/** What the largest policies cost the agent's event loop: when they come, and at every other change afterwards. */
export function benchLargePolicy(): void {
  const rows: (string | number)[][] = [['values', 'first link, ms', 'link after another change, ms', 'tables, KiB']];
  for (const count of [6_000, 60_000]) {
    const large = manyPaths(count);
    const firstMs: number[] = [];
    const againMs: number[] = [];
    let bytes = 0;
    for (let run = 0; run < runs; run += 1) {
      const linked = link(testInput([large]));
      firstMs.push(cpuMs(() => void link(testInput([large]))));
      againMs.push(cpuMs(() => void link(testInput([large]), linked)));
      bytes = linked.hooks[0]?.rows.strs.length ?? 0;
    }
    rows.push([count, median(firstMs), median(againMs), bytes / 1024]);
  }
  printTable('One policy with many paths, native, time of the processor, median of 9', rows);
}

function cpuMs(work: () => void): number {
  const from = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(from);
  return (user + system) / 1_000;
}
