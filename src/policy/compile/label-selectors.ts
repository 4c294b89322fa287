import { LIMITS } from '../limits.ts';
import type { LabelRequirement, LabelSelector } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { LabelSelectorSpec } from '../schema/label-selector.ts';
import { textSet } from '../value-sets.ts';

/** What is selected: objects of Kubernetes by their labels, or containers by their fields. */
export type Selected = 'labels' | 'containers';

/** The selector in normal form; problems for requirements that Kubernetes would not accept, and for values that nothing has. */
export function compileLabelSelector(
  sink: ProblemSink,
  path: string,
  spec: LabelSelectorSpec,
  selected: Selected = 'labels',
): LabelSelector {
  const matchExpressions: LabelRequirement[] = [];
  for (const [index, entry] of (spec.matchExpressions ?? []).entries()) {
    const at = fieldPath(fieldPath(path, 'matchExpressions'), index);
    const valuesAt = fieldPath(at, 'values');
    const values = textSet(entry.values ?? []);
    const needsValues = entry.operator === 'In' || entry.operator === 'NotIn';
    if (needsValues !== values.length > 0) {
      sink.error('BadLabelSelector', valuesAt, `${entry.operator} ${needsValues ? 'needs' : 'takes no'} values`);
    } else if (values.length > LIMITS.valuesPerFilter) {
      sink.error('SetTooLarge', valuesAt, `${values.length} values`, `at most ${LIMITS.valuesPerFilter}`);
    }
    for (const [position, value] of (entry.values ?? []).entries()) {
      checkValue(sink, fieldPath(valuesAt, position), value, selected);
    }
    matchExpressions.push({ key: entry.key, operator: entry.operator, values });
  }
  for (const [key, value] of Object.entries(spec.matchLabels ?? {})) {
    checkValue(sink, fieldPath(fieldPath(path, 'matchLabels'), key), value, selected);
  }
  const keys = [...Object.keys(spec.matchLabels ?? {}), ...matchExpressions.map((entry) => entry.key)];
  for (const key of keys.filter((name) => name === '' || name.length > LIMITS.labelKeyChars || !name.isWellFormed())) {
    sink.error('BadLabelSelector', path, `${quote(key)} is no label key`);
  }
  const order = (entry: LabelRequirement): string => JSON.stringify([entry.key, entry.operator, entry.values]);
  return {
    matchLabels: { ...spec.matchLabels },
    matchExpressions: matchExpressions.toSorted((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0)),
  };
}

const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Kubernetes gives nothing a label with another value: In would never match, NotIn would say nothing. */
function checkValue(sink: ProblemSink, path: string, value: string, selected: Selected): void {
  const isPossible =
    selected === 'labels'
      ? value.length <= LIMITS.labelValueChars && LABEL_VALUE.test(value)
      : Buffer.byteLength(value) <= LIMITS.containerValueBytes && value.isWellFormed();
  if (!isPossible) {
    sink.error('BadLabelSelector', path, `${quote(value)} is no value of a ${selected === 'labels' ? 'label' : "container's field"}`);
  }
}
