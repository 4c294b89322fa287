import { link } from '../src/linker/link.ts';
import { testInput } from '../src/linker/testing/kernels.ts';
import { pathPolicies } from './policies.ts';
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
