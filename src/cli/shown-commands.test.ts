import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli } from './testing/run-cli.ts';

const ROOT = path.join(import.meta.dirname, '../..');

type ShownCommand = { readonly args: readonly string[]; readonly output: string };

function blocksOf(page: string, language: string): readonly string[] {
  return Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm')), ([, block = '']) => block);
}

/** What a page shows of commands without a pipe and a redirection. */
function commandsOf(page: string): readonly ShownCommand[] {
  return blocksOf(page, 'console')
    .flatMap((block) => block.split(/^(?=\$ )/m))
    .flatMap((text): ShownCommand[] => {
      const [, line = '', output = ''] = /^\$ palisade (.*)\n([^]*)$/.exec(text) ?? [];
      return output.trim() === '' || /[|>]/.test(line) ? [] : [{ args: line.split(' '), output }];
    });
}

/** A line `…` stands for any lines. */
function expectShown(actual: string, shown: string): void {
  const pieces = shown.trimEnd().split(/^\s*…$\n?/m);
  let at = 0;
  for (const [index, piece] of pieces.entries()) {
    const lines = piece.trimEnd();
    const found = actual.indexOf(lines, at);
    if (found === -1 || (index === 0 && found !== 0)) expect(actual).toBe(shown);
    at = found + lines.length;
  }
  if (!shown.trimEnd().endsWith('…')) expect(actual.slice(at).trim()).toBe('');
}

async function run(args: readonly string[], cwd: string): Promise<string> {
  const { stdout, stderr } = await runCli(args, { cwd });
  return `${stdout}${stderr}`;
}

const EXISTING = /^(?:facts|(?:lint|explain|test) examples)/;

describe.each(['README.md', 'docs/cli.md'])('%s shows what commands print', (name) => {
  const shown = commandsOf(readFileSync(path.join(ROOT, name), 'utf8')).filter(({ args }) => EXISTING.test(args.join(' ')));
  it.each(shown.map((one) => [one.args.join(' '), one] as const))('%s', { timeout: 60_000 }, async (_, { args, output }) => {
    expectShown(await run(args, ROOT), output);
  });
});

describe('docs/writing-policies.md shows what commands print', () => {
  const page = readFileSync(path.join(ROOT, 'docs/writing-policies.md'), 'utf8');
  const [policy = '', tests = ''] = blocksOf(page, 'yaml');
  const exact = policy.replace('operator: Prefix', 'operator: Equal');
  const misspelt = policy.replace('file_open', 'file_opn');
  const bad = misspelt.replace('matchBinaries', 'matchBinary').replace('Prefix', 'prefix').replace('\n              argError: -1', '');
  /** The policy as it is when each of the page's commands is run. */
  const states = [policy, bad, misspelt, policy, policy, policy, exact, exact];
  const shown = commandsOf(page);

  const folder = mkdtempSync(path.join(tmpdir(), 'palisade-page-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('and no more commands than are tried here', () => expect(shown).toHaveLength(states.length));

  it.each(shown.map((one, index) => [index, one.args.join(' '), one] as const))(
    '%i: %s',
    { timeout: 60_000 },
    async (index, _, { args, output }) => {
      writeFileSync(path.join(folder, 'keep-api-key.yaml'), states[index] ?? '');
      writeFileSync(path.join(folder, 'keep-api-key.test.yaml'), tests);
      writeFileSync(path.join(folder, 'before.yaml'), policy);
      expectShown(await run(args, folder), output);
    },
  );
});
