import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from './commands.ts';

const page = readFileSync(path.join(import.meta.dirname, '../../docs/cli.md'), 'utf8');

describe('docs/cli.md', () => {
  it('has a row for every command, and none for what is no command', () => {
    const rows = page
      .split('\n')
      .flatMap((line) => /^\| \[?([a-z]+)\]?(?:\([^)]*\))? \|/.exec(line)?.[1] ?? [])
      .filter((name) => name !== 'command');
    expect(rows.toSorted()).toEqual(COMMANDS.map(({ name }) => name).toSorted());
  });
});
