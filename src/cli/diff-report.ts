import { Document, isCollection, isPair, visit } from 'yaml';
import type { DiffExample, PolicyDiff } from '../policy/policy-diff/diff-policies.ts';
import type { Style } from './output-style.ts';
import { printableText } from './printable-text.ts';

export type SideNames = { readonly before: string; readonly after: string };

/** What is written differently, then what is treated differently. */
export function textReport(diff: PolicyDiff, names: SideNames, style: Style): string {
  const sides = `${names.before} and ${names.after}`;
  if (diff.isSamePlan) return `${sides}: the same plan\n`;
  const changes = diff.changes.map(({ policy, path, sentence }) => `  ${style.dim(`${policy} ${path}:`)} ${printableText(sentence)}`);
  const written = changes.length === 0 ? [] : [style.bold('Written differently:'), ...changes, ''];
  return `${[...written, ...exampleLines(diff, names, style)].join('\n')}\n`;
}

function exampleLines(diff: PolicyDiff, names: SideNames, style: Style): readonly string[] {
  if (diff.examples.length > 0) {
    const head = diff.examples.length === 1 ? 'A call that is treated differently:' : 'Calls that are treated differently:';
    return [style.bold(head), ...diff.examples.map((example) => exampleText(example, names, style))];
  }
  const unseen = diff.changes.filter(({ isSearchable }) => !isSearchable).length;
  const searched = `${diff.triedCount} calls tried${diff.isComplete ? '' : ', and the time was over'}`;
  const other = unseen === 0 ? '' : '; what they do beside a single call differs, see above';
  return [`No call found that is treated differently (${searched})${other}.`];
}

function exampleText({ test, before, after, passesWith }: DiffExample, names: SideNames, style: Style): string {
  const comments = [
    `# ${names.before}: ${before}`,
    `# ${names.after}: ${after}`,
    ...(passesWith === 'after' ? [] : [`# (the test passes with ${names.before}: the other has no such hook)`]),
  ];
  const yaml = yamlOf([test]);
  return [...comments.map((line) => style.dim(printableText(line))), yaml].map((text) => text.replaceAll(/^(?=.)/gm, '  ')).join('\n');
}

/** Lists and maps of plain values on one line, as people write them; quoted as YAML 1.1 needs it. */
function yamlOf(cases: readonly DiffExample['test'][]): string {
  const document = new Document(cases, { version: '1.1' });
  visit(document, {
    Collection: (_, node, parents) => {
      const values = node.items.map((item) => (isPair(item) ? item.value : item));
      if (parents.length > 2 && !values.some(isCollection)) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** For programs; member names are stable. */
export function jsonReport(diff: PolicyDiff, names: SideNames): string {
  const { isSamePlan, changes, examples, triedCount, isComplete } = diff;
  const json = { ...names, samePlan: isSamePlan, changes, examples, search: { tried: triedCount, complete: isComplete } };
  return `${JSON.stringify(json, null, 2)}\n`;
}
