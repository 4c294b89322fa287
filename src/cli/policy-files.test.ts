import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOCUMENT_LIMITS } from '../policy/document/document.ts';
import { formatLocated } from '../policy/document/locate.ts';
import { CliError } from './cli-io.ts';
import { checkPolicy, readPolicyFiles } from './policy-files.ts';

const policy = (name: string, hook = 'file_open'): string =>
  `apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: ${name}}\nspec:\n  lsmhooks:\n    - hook: ${hook}\n`;
const nothing = Readable.from([]);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-policies-'));
  await writeFile(join(folder, 'b.yaml'), `${policy('b')}---\n${policy('c', '5')}---\nkind: Service\napiVersion: v1\n`);
  await writeFile(join(folder, 'a.json'), '{"kind": "TracingPolicy",,}');
  await writeFile(join(folder, 'notes.txt'), 'no policy');
  await writeFile(join(folder, 'service.yml'), 'kind: Service\napiVersion: v1\n');
  await mkdir(join(folder, 'deeper'));
  await writeFile(join(folder, 'deeper', 'd.yaml'), policy('d'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('policies from paths', () => {
  it('come from the YAML and JSON files of a folder and of those below, each problem with its line', async () => {
    const { documents, skipped, problems } = await readPolicyFiles([folder], nothing);
    const checked = documents.map(checkPolicy);
    const lines = [...problems, ...checked.flatMap((one) => (one.ok ? [] : one.problems))].map(formatLocated);
    expect(lines.map((line) => line.replace(folder, '.'))).toEqual([
      expect.stringMatching(/^\.\/a\.json:1:\d+: NotYaml: /),
      './b.yaml:13:13: WrongType: spec.lsmhooks[0].hook: must be a text, not 5; put it in quotes: "5"',
    ]);
    expect(checked.flatMap((one) => (one.ok ? [one.policy.name] : []))).toEqual(['b', 'd']);
    expect(skipped.map(({ source, kind }) => [source.replace(folder, '.'), kind])).toEqual([
      ['./b.yaml#3', 'Service'],
      ['./service.yml', 'Service'],
    ]);
  });

  it('come from standard input as well', async () => {
    const { documents } = await readPolicyFiles(
      ['-', join(folder, 'deeper', 'd.yaml')],
      Readable.from([policy('x').slice(0, 30), policy('x').slice(30)]),
    );
    expect(documents.map(checkPolicy).map((one) => (one.ok ? one.policy.name : one.problems))).toEqual(['x', 'd']);
  });

  it('are not read on for ever', async () => {
    let sentBytes = 0;
    const endless = function* (): Generator<Buffer> {
      for (;;) {
        sentBytes += 1 << 20;
        yield Buffer.alloc(1 << 20, '#');
      }
    };
    const { problems } = await readPolicyFiles(['-'], Readable.from(endless()));
    expect(problems.map(({ problem }) => problem.code)).toEqual(['TooLarge']);
    expect(sentBytes).toBeLessThan(2 * DOCUMENT_LIMITS.fileBytes + (32 << 20));
  });

  it('must be somewhere: a path that is not there, and one without policies, are told', async () => {
    await expect(readPolicyFiles([join(folder, 'missing.yaml')], nothing)).rejects.toThrow(CliError);
    await expect(readPolicyFiles([join(folder, 'service.yml')], nothing)).rejects.toThrow(/no policies in .*; objects of other kinds: 1/);
  });
});
