import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitDocuments } from './split-documents.ts';

const split = (text: string): [string, number][] =>
  splitDocuments(Buffer.from(text)).parts.map(({ bytes, firstLine }) => [Buffer.from(bytes).toString(), firstLine]);

describe('a file is cut into documents', () => {
  it('at lines that begin with three dashes or dots', () => {
    expect(split('a: 1\n---\nb: 2\n--- c\n...\nd: |\n  ---\n')).toEqual([
      ['a: 1\n', 1],
      ['---\nb: 2\n', 2],
      ['--- c\n', 4],
      ['\nd: |\n  ---\n', 5],
    ]);
  });

  it('but not at lines that begin otherwise', () => {
    expect(split('a: 1\n----\n ---\n---x\n....\n')).toHaveLength(1);
  });

  it('with directives in the document that follows them, and comments before the first one in none', () => {
    expect(split('# comment\n\n---\na: 1\n...\n%YAML 1.2\n---\nb: 2\n')).toEqual([
      ['---\na: 1\n', 3],
      ['\n%YAML 1.2\n---\nb: 2\n', 5],
    ]);
  });

  it('so that no byte with a meaning is lost, and every document knows its line', () => {
    const lines = fc.array(fc.constantFrom('---', '...', 'a: 1', '# c', '', '%X', '  b', '--- d'), { maxLength: 12 });
    fc.assert(
      fc.property(lines, (all) => {
        const text = all.join('\n');
        for (const [part, firstLine] of split(text)) {
          const rest = text
            .split('\n')
            .slice(firstLine - 1)
            .join('\n');
          const afterDots = rest.startsWith('...') ? rest.slice(3) : rest;
          expect(afterDots.startsWith(part)).toBe(true);
        }
        const meant = all.filter((line) => /^(?: {2}b|a: 1|--- d)$/.test(line));
        expect(split(text).flatMap(([part]) => part.split('\n').filter((line) => /^(?: {2}b|a: 1|--- d)$/.test(line)))).toEqual(meant);
      }),
    );
  });
});
