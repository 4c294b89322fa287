import { LIMITS } from '../limits.ts';
import type { LabelRequirement, LabelSelector } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { LabelSelectorSpec } from '../schema/label-selector.ts';
import { textSet } from '../value-sets.ts';

/** The selector in normal form; problems for requirements that Kubernetes would not accept. */
export function compileLabelSelector(sink: ProblemSink, path: string, spec: LabelSelectorSpec): LabelSelector {
  const matchExpressions: LabelRequirement[] = [];
  for (const [index, entry] of (spec.matchExpressions ?? []).entries()) {
    const at = fieldPath(fieldPath(path, 'matchExpressions'), index);
    const values = textSet(entry.values ?? []);
    const needsValues = entry.operator === 'In' || entry.operator === 'NotIn';
    if (needsValues !== values.length > 0) {
      sink.error('BadLabelSelector', fieldPath(at, 'values'), `${entry.operator} ${needsValues ? 'needs' : 'takes no'} values`);
    }
    matchExpressions.push({ key: entry.key, operator: entry.operator, values });
  }
  const keys = [...Object.keys(spec.matchLabels ?? {}), ...matchExpressions.map((entry) => entry.key)];
  for (const key of keys.filter((name) => name === '' || name.length > LIMITS.labelKeyChars)) {
    sink.error('BadLabelSelector', path, `${quote(key)} is no label key`);
  }
  const order = (entry: LabelRequirement): string => JSON.stringify([entry.key, entry.operator, entry.values]);
  return {
    matchLabels: { ...spec.matchLabels },
    matchExpressions: matchExpressions.toSorted((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0)),
  };
}
