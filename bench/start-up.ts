import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { median } from './figures.ts';
import { printTable } from './table.ts';

const root = path.join(import.meta.dirname, '..');
const cli = path.join(root, 'dist/src/cli/main.js');
const runs = 15;

/** What a person waits for in a commit hook: one small policy, beside a Node that does nothing. */
export function benchStartUp(): void {
  if (!existsSync(cli)) throw new Error('dist/src/cli/main.js is not there; "make build" makes it');
  const example = path.join(root, 'examples/seed/block-reverse-shell-tools.yaml');
  const commands: readonly (readonly [string, readonly string[]])[] = [
    ['node -e 0', ['-e', '0']],
    ['palisade version', [cli, 'version']],
    ['palisade lint FILE', [cli, 'lint', example]],
    ['palisade lint FILE --kernels all', [cli, 'lint', example, '--kernels', 'all']],
  ];
  const rows: (string | number)[][] = [['command', 'median, ms', 'ratio']];
  let first: number | null = null;
  for (const [name, args] of commands) {
    const times = Array.from({ length: runs }, () => {
      const fromMs = performance.now();
      execFileSync(process.execPath, args, { stdio: 'ignore' });
      return performance.now() - fromMs;
    });
    const middle = median(times);
    first ??= middle;
    rows.push([name, middle, `${(middle / first).toFixed(1)} : 1`]);
  }
  printTable(`Start-up, median of ${runs}`, rows);
}
