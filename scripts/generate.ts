import { readdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** Runs every scripts/generate-*.ts. With `--check` they write nothing and fail where a committed file differs. */
const names = readdirSync(import.meta.dirname).filter((name) => /^generate-.*\.ts$/.test(name) && !name.endsWith('.test.ts'));
for (const name of names.toSorted()) {
  const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, name), ...process.argv.slice(2)], { stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(`${name}: ended with ${status ?? 'a signal'}\n`);
    process.exitCode = 1;
  }
}
