import { describe, expect, it } from 'vitest';
import { parse } from '../parse.ts';
import { formatProblem } from '../problem.ts';
import { DOCUMENT_LIMITS, type LocatedProblem, type ReadDocuments } from './document.ts';
import { locate, locateProblems } from './locate.ts';
import { readDocuments } from './read-documents.ts';

const read = (text: string | Uint8Array): ReadDocuments => readDocuments('f.yaml', typeof text === 'string' ? Buffer.from(text) : text);

const line = ({ source, region, problem }: LocatedProblem): string =>
  `${source}:${region.line}:${region.column}: ${problem.code}: ${problem.path === '' ? '' : `${problem.path}: `}${problem.message}${problem.hint === undefined ? '' : `; ${problem.hint}`}`;

/** All problems of a text, those of its policies included. */
function problemsOf(text: string | Uint8Array): string[] {
  const { documents, problems } = read(text);
  const shape = documents.flatMap((document) => {
    const parsed = parse(document.object);
    return parsed.ok ? [] : locateProblems(document, parsed.problems);
  });
  return [...problems, ...shape].map(line);
}

const good = (name: string): string =>
  `apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata:\n  name: ${name}\nspec:\n  lsmhooks:\n    - hook: file_open\n`;
const namesIn = ({ documents }: ReadDocuments): unknown[] =>
  documents.map(({ object }) => {
    const parsed = parse(object);
    return parsed.ok ? parsed.value.name : parsed.problems.map(formatProblem);
  });

describe('a file of policies', () => {
  it('may hold one, in YAML or JSON, with a byte order mark or Windows line ends', () => {
    const json = JSON.stringify({
      apiVersion: 'cilium.io/v1alpha1',
      kind: 'TracingPolicy',
      metadata: { name: 'a' },
      spec: { lsmhooks: [{ hook: 'file_open' }] },
    });
    for (const text of [
      good('a'),
      json,
      JSON.stringify(JSON.parse(json), null, '\t'),
      `\ufeff${good('a')}`,
      good('a').replaceAll('\n', '\r\n'),
    ]) {
      expect(namesIn(read(text))).toEqual(['a']);
      expect(read(text)).toMatchObject({ problems: [], skipped: [], documents: [{ source: 'f.yaml' }] });
    }
  });

  it('may hold many, and each is named by its number', () => {
    const { documents } = read(`# of Helm\n---\n${good('a')}---\n${good('b')}...\n${good('c')}`);
    expect(documents.map(({ source, text }) => [source, text.firstLine])).toEqual([
      ['f.yaml#1', 2],
      ['f.yaml#2', 10],
      ['f.yaml#3', 18],
    ]);
  });

  it('may be the output of Helm or Kustomize: other kinds are counted, and what is empty as well', () => {
    const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: 1\n  a: 2\n';
    const result = read(`---\n# Source: chart/a.yaml\n---\n${config}---\n${good('a')}---\n---\n`);
    expect(namesIn(result)).toEqual(['a']);
    expect(result).toMatchObject({ skipped: [{ source: 'f.yaml#2', line: 5, kind: 'ConfigMap' }], emptyCount: 3, problems: [] });
  });

  it('may hold Lists, with other kinds in them', () => {
    const item = (name: string, kind = 'TracingPolicy'): string =>
      `- {apiVersion: cilium.io/v1alpha1, kind: ${kind}, metadata: {name: ${name}}, spec: {loader: true}}\n`;
    const result = read(`apiVersion: v1\nkind: List\nitems:\n${item('a')}${item('x', 'Pod')}${item('b')}`);
    expect(namesIn(result)).toEqual(['a', 'b']);
    expect(result.documents.map(({ source }) => source)).toEqual(['f.yaml.items[0]', 'f.yaml.items[2]']);
    expect(result.skipped).toEqual([{ source: 'f.yaml.items[1]', line: 5, kind: 'Pod' }]);
    const typed = 'apiVersion: cilium.io/v1alpha1\nkind: TracingPolicyList\nitems:\n- {metadata: {name: c}, spec: {loader: true}}\n';
    expect(namesIn(read(typed))).toEqual(['c']);
  });

  it('is checked on where one document is broken', () => {
    const text = `${good('a')}---\nkind: "TracingPolicy\n---\n${good('b')}---\n${good('c')}  - oops\n---\n${good('d')}`;
    expect(namesIn(read(text))).toEqual(['a', 'b', 'd']);
    expect(problemsOf(text).map((problem) => problem.split(': ').slice(0, 2))).toEqual([
      ['f.yaml#2:10:1', 'NotYaml'],
      ['f.yaml#4:26:1', 'NotYaml'],
    ]);
  });

  it('may use anchors, aliases and merges within one document', () => {
    const text = good('a').replace('spec:', 'x: &hooks [{hook: file_open}]\nbase: &base {loader: true}\nspec:\n  <<: *base\n  usdts: []');
    const [document] = read(text).documents;
    expect(document?.object).toMatchObject({ spec: { loader: true, usdts: [] } });
  });
});

describe('bad text has a place, and costs only its document', () => {
  it.each<[string, string | Uint8Array, string]>([
    [
      'a field given twice',
      good('a').replace('spec:', 'kind: Pod\nkind: TracingPolicy\nspec:'),
      'f.yaml:5:1: DuplicateField: the field "kind"',
    ],
    ['a field given twice in a flow map', good('a').replace('{', '').replace('name: a', '{}\nspec: {a: 1, "a": 2}\nx:'), 'DuplicateField'],
    [
      'a tab as indent',
      good('a').replace('    - hook', '\t- hook'),
      'f.yaml:7:1: NotYaml: a tab stands where the line is indented; use spaces',
    ],
    ['no UTF-8', Buffer.concat([Buffer.from('a: ä\nb: '), Buffer.from([0xc3, 0x28])]), 'f.yaml:2:4: NotUtf8: this byte is no part'],
    ['a cut character at the end', Buffer.concat([Buffer.from(good('a')), Buffer.from([0xe2, 0x82])]), 'f.yaml:8:1: NotUtf8'],
    ['UTF-16', Buffer.from(`\ufeff${good('a')}`, 'utf16le'), 'f.yaml:1:1: NotUtf8: the text is UTF-16; save it as UTF-8'],
    ['a control character', good('a').replace('file_open', 'file\u0000open'), 'f.yaml:7:17: NotYaml: the character "\\u0000" may not'],
    ['an open quote', 'a: "b\nc: d\n', 'NotYaml: a quote before this is not closed; end the text with the quote that it begins with'],
    ['an open bracket', 'a: [b, c\n', 'NotYaml: a bracket before this is not closed; close [ with ]'],
    ['a missing comma', 'a: {"b" c: 2}\n', 'NotYaml: a comma is missing before this'],
    ['a wrong indent', 'a:\n    b: 1\n  c: 2\n', 'f.yaml:3:'],
    ['an unknown alias', 'a: *nobody\n', 'f.yaml:1:4: BadAlias: the alias "*nobody" cannot be resolved: there is no such anchor before it'],
    ['an alias inside its anchor', 'a: &a\n  b: *a\n', 'f.yaml:2:6: BadAlias: the alias "*a" cannot be resolved: it stands inside'],
    ['a tag of another language', 'a: !!python/object x\n', 'f.yaml:1:'],
    [
      'a tag that makes another type of a word',
      'a: !!int "5"\n',
      'f.yaml:1:10: NotYaml: the tag "tag:yaml.org,2002:int" means nothing here; leave it out',
    ],
    ['a merge of a text', 'a: &a b\nc: {<<: *a}\n', 'f.yaml:2:9: NotYaml: "<<" takes in the fields of a map'],
    ['a name that is a list', '? [a]\n: b\n', 'f.yaml:1:3: NotYaml: the name of a field must be a text'],
    ['a list', '- a\n', 'f.yaml:1:1: NotAnObject: policy: is not a Kubernetes object'],
    ['a text', 'hello\n', 'f.yaml:1:1: NotAnObject'],
    ['no kind', 'spec: {}\n', 'f.yaml:1:1: UnknownKind: apiVersion: is missing; write cilium.io/v1alpha1'],
    [
      'a second document without a mark',
      `${good('a')}${good('b')}`,
      'the field "apiVersion" is given twice; put a line "---" between two documents',
    ],
    [
      'a field without a space',
      good('a').replace('- hook: ', '- hook:'),
      'must be an object, not the text "hook:file_open"; put a space after the colon',
    ],
    [
      'a space that is none',
      good('a').replace('- hook: ', '- hook:\u00a0'),
      'not the text "hook:\\u00a0file_open"; put a space after the colon',
    ],
    ['a dash without a space', good('a').replace('    - hook', '  -hook'), 'unknown field "-hook"; put a space after "-"'],
    [
      'a name that YAML takes for a number',
      good('a').replace('name: a', 'name: 12'),
      'BadName: metadata.name: 12 is no name; put it in quotes',
    ],
    ['a misspelt kind', good('a').replace('TracingPolicy', 'TracingPolcy'), 'f.yaml:2:7: UnknownKind: kind: "TracingPolcy" is no policy'],
  ])('%s', (_, text, problem) => {
    expect(problemsOf(text)[0]).toContain(problem);
  });

  it('nothing of it can move the cursor of a terminal', () => {
    for (const text of ['\u001b[2J: 1', '"\u001b[2J', 'a: &\u009b', '- *\u001b', '{"a\\u001b": [}', 'kind: "\\e[2J"\napiVersion: v1']) {
      const { problems, skipped } = read(text);
      expect(JSON.stringify([problems.map(line), skipped.map(({ kind }) => kind)])).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
  });
});

describe('a problem of a policy is found in its file', () => {
  const text = `# a comment\n---\n${good('a')}      args:\n        - index: 0\n          type: fil\n        - label: 0644\n          index: zero\n      selectors:\n        - matchBinarys: []\n`;

  it('at the value, or at the name of a field that does not belong there', () => {
    expect(problemsOf(text)).toEqual([
      'f.yaml:12:17: WrongValue: spec.lsmhooks[0].args[0].type: "fil" is not one of its values; did you mean "file"?',
      'f.yaml:14:18: WrongType: spec.lsmhooks[0].args[1].index: must be a number, not the text "zero"',
      'f.yaml:13:18: WrongType: spec.lsmhooks[0].args[1].label: must be a text, not 420; put it in quotes: "0644"',
      'f.yaml:16:11: UnknownField: spec.lsmhooks[0].selectors[0].matchBinarys: unknown field "matchBinarys"; did you mean "matchBinaries"?',
    ]);
  });

  it('at the object that lacks something, and at names of any length', () => {
    const [document] = read(`${good('a')}  ? ${'x'.repeat(200)}\n  : 1\n`).documents;
    if (document === undefined) throw new Error('no document');
    expect(locate(document, 'spec.lsmhooks[0].selectors')).toMatchObject({ line: 7, column: 7 });
    expect(locate(document, 'spec.nothing[3].at.all')).toMatchObject({ line: 5, column: 1, endColumn: 5 });
    expect(locate(document, `spec["${'x'.repeat(80)}…"]`)).toMatchObject({ line: 9 });
    expect(locate(document, 'policy')).toMatchObject({ line: 1, column: 1 });
    expect(locate(document, '((')).toMatchObject({ line: 1, column: 1 });
  });

  it('where the anchor is, for what an alias stands for', () => {
    const [document] = read('x: &x\n  - {hook: 5}\nspec:\n  lsmhooks: *x\n').documents;
    if (document === undefined) throw new Error('no document');
    expect(locate(document, 'spec.lsmhooks[0].hook')).toMatchObject({ line: 2, column: 12 });
    expect(locate(document, 'spec.lsmhooks')).toMatchObject({ line: 4, column: 3 });
  });
});

/** Each name stands for nine times the one before it. */
const aliases = (names: string, before: string): string =>
  Array.from(names, (name, index) => `${name}: &${name} [${`*${before.charAt(index)},`.repeat(9)}*a]\n`).join('');

describe('hostile files cost bounded time', () => {
  const bomb = `a: &a [${'x,'.repeat(9)}x]\n${aliases('bcdefghi', 'abcdefgh')}`;
  const fat = (word: string): string => word.repeat(Math.floor(DOCUMENT_LIMITS.documentBytes / word.length) - 1);

  it.each<[string, () => string, string]>([
    ['an alias bomb', () => bomb, 'TooLarge: aliases make'],
    ['an alias bomb of merges', () => `a: &a {${'x'.repeat(100_000)}: 1}\nb: [${'{<<: *a},'.repeat(1000)}]\n`, 'TooLarge: aliases make'],
    ['100,000 brackets', () => '['.repeat(100_000), 'TooDeep'],
    ['100,000 braces', () => '{"a":'.repeat(100_000), 'TooDeep'],
    ['100,000 dashes', () => '- '.repeat(100_000), 'TooDeep'],
    ['70 levels', () => `${'['.repeat(70)}${']'.repeat(70)}`, 'TooDeep: is nested deeper than 64 levels'],
    ['10 MB in one document', () => 'a'.repeat(10 << 20), 'TooLarge: the document has 10485760 bytes'],
    ['more than 10 MB', () => 'a'.repeat((10 << 20) + 1), 'TooLarge: 10485761 bytes are too many'],
    ['3 MB of commas', () => `[${fat(',')}]`, 'TooLarge'],
    ['3 MB of tags', () => fat('!a '), 'TooLarge'],
    ['300,000 words that are wrong', () => `[${','.repeat(300_000)}`, 'NotYaml'],
    ['a million closing brackets', () => ']'.repeat(1_000_000), 'NotYaml'],
    ['50,000 fields of one name', () => 'a: 1\n'.repeat(50_000), 'DuplicateField'],
    ['a million documents', () => '--- a\n'.repeat(1_000_000), 'TooLarge: a file has at most 10000 documents'],
    ['10 MB of empty documents', () => '---\n'.repeat(2_500_000), 'TooLarge: a file has at most 10000 documents'],
  ])(
    '%s',
    (_, make, problem) => {
      const text = make();
      const startMs = performance.now();
      const found = problemsOf(text);
      const tookMs = performance.now() - startMs;
      expect(found[0]).toContain(problem);
      expect(found.length).toBeLessThanOrEqual(DOCUMENT_LIMITS.documents + 1);
      expect(tookMs).toBeLessThan(20_000);
    },
    60_000,
  );
});
