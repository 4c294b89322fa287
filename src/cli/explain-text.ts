import type { Explanation, HookExplanation, RuleExplanation } from '../policy/explain/explanation.ts';
import type { KernelExplanation } from '../policy/explain/kernel-sentences.ts';
import type { Style } from './output-style.ts';
import { wrapText } from './wrap-text.ts';

export type ExplainedPolicy = {
  readonly source: string;
  /** `TracingPolicy block-etc-writes`. */
  readonly title: string;
  readonly explanation: Explanation;
  readonly kernels: readonly KernelExplanation[];
  /** What is valid and probably not meant; as `palisade lint` says it. */
  readonly warnings: readonly string[];
};

/** One policy for people; lines of at most `columns`. */
export function explainText({ title, explanation, kernels, warnings }: ExplainedPolicy, style: Style, columns: number): string {
  const { summary, who, hooks, beside, cost } = explanation;
  const item = (text: string, indent = 2): string => wrapText(sentence(text), columns, ' '.repeat(indent), ' '.repeat(indent));
  const sections = [
    ['Whom it is about', who.map((text) => item(text)).join('')],
    ['What is watched', hooks.map((hook, index) => hookText(hook, index, style, columns)).join('\n')],
    ['Also', beside.map((text) => item(text)).join('')],
    ['Beware', warnings.map((text) => item(text)).join('')],
    ['Kernels', kernels.map((kernel) => kernelText(kernel, style, columns)).join('')],
    ['Cost', item(cost.class) + cost.reasons.map((reason) => item(reason)).join('')],
  ] as const;
  const shown = sections.filter(([, text]) => text !== '').map(([heading, text]) => `\n${style.bold(heading)}\n${text}`);
  return `${style.bold(title)} ${summary}.\n${shown.join('')}`;
}

function hookText(hook: HookExplanation, index: number, style: Style, columns: number): string {
  const first = `  ${index + 1}. `;
  const lines = [
    wrapText(`When ${hook.when}:`, columns, first, '     '),
    `     ${style.dim(hook.path)}\n`,
    ...(hook.reads.length === 0 ? [] : [wrapText(`It reads ${hook.reads.join('; ')}.`, columns, '     ', '     ')]),
    ...hook.rules.map((rule, at) => ruleText(rule, at, columns)),
    ...(hook.hasRest ? [wrapText('Otherwise nothing happens, and no event is sent.', columns, '     ', '     ')] : []),
    ...hook.remarks.map((remark) => wrapText(sentence(remark), columns, '     ', '     ')),
  ];
  return lines.join('');
}

function ruleText({ conditions, effects, atReturn }: RuleExplanation, at: number, columns: number): string {
  const indent = '     ';
  const atEntry = conditionalText(conditions, effects, at, columns, indent);
  if (atReturn === undefined) return atEntry;
  return `${atEntry}${wrapText('When it returns:', columns, indent, indent)}${conditionalText(atReturn.conditions, atReturn.effects, 0, columns, `${indent}  `)}`;
}

function conditionalText(conditions: readonly string[], effects: readonly string[], at: number, columns: number, indent: string): string {
  const what = effects.length < 3 ? effects.join(', and ') : `${effects.slice(0, -1).join(', ')}, and ${effects.at(-1) ?? ''}`;
  if (conditions.length === 0) return wrapText(sentence(at === 0 ? `then ${what}` : `otherwise ${what}`), columns, indent, indent);
  const begin = `${indent}${at === 0 ? 'If' : 'Or if'} `;
  const inner = `${indent}   `;
  const [first = '', ...rest] = conditions;
  return [
    wrapText(rest.length === 0 ? first : `${first},`, columns, begin, `${inner}  `),
    ...rest.map((condition, place) =>
      wrapText(place === rest.length - 1 ? condition : `${condition},`, columns, `${inner}and `, `${inner}    `),
    ),
    wrapText(`${what}.`, columns, `${indent}then `, `${indent}     `),
  ].join('');
}

function kernelText({ kernels, loads, sentences }: KernelExplanation, style: Style, columns: number): string {
  const names = kernels.join(', ');
  const [first = '', ...rest] = sentences;
  const shown = loads ? first : style.red(first);
  return `  ${names}: ${shown}${rest.length === 0 ? '.' : ':'}\n${rest.map((text) => wrapText(sentence(text), columns, '    ', '    ')).join('')}`;
}

/** With a capital and a full stop; a field at the beginning keeps its spelling. */
function sentence(text: string): string {
  const isField = /^spec[.[]/.test(text);
  return `${isField ? text : text.slice(0, 1).toUpperCase() + text.slice(1)}.`;
}
