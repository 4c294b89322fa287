import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { arrowProblem, importsOf } from './arrows.ts';

/** Fails when a folder of src/ imports from one that it must not know. */
const root = path.join(import.meta.dirname, '../src');
const problems: string[] = [];
for await (const file of glob('**/*.ts', { cwd: root })) {
  if (file.endsWith('.test.ts') || file.includes('/testing/')) continue;
  for (const name of importsOf(await readFile(path.join(root, file), 'utf8'))) {
    if (!name.startsWith('.')) continue;
    const problem = arrowProblem(file, path.posix.join(path.posix.dirname(file), name));
    if (problem !== undefined) problems.push(problem);
  }
}
for (const problem of problems.toSorted()) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
