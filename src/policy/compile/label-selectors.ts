import { LIMITS } from '../limits.ts';
import { isLabelKey } from '../names.ts';
import type { LabelRequirement, LabelSelector } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import { LABEL_VALUE, type LabelSelectorSpec } from '../schema/label-selector.ts';
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
    checkKey(sink, fieldPath(at, 'key'), entry.key, selected);
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
    const at = fieldPath(fieldPath(path, 'matchLabels'), key);
    checkKey(sink, at, key, selected);
    checkValue(sink, at, value, selected);
  }
  const order = (entry: LabelRequirement): string => JSON.stringify([entry.key, entry.operator, entry.values]);
  return {
    matchLabels: { ...spec.matchLabels },
    matchExpressions: matchExpressions.toSorted((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0)),
  };
}

/** Containers have no labels, but two fields. */
const CONTAINER_FIELDS: ReadonlySet<string> = new Set(['name', 'repo']);
/** Upstream's name for the namespace of a pod, among its labels. */
const NAMESPACE_LABEL = 'k8s:io.kubernetes.pod.namespace';

/** Nothing has a label of another key: In and Exists would never match, NotIn and DoesNotExist would say nothing. */
function checkKey(sink: ProblemSink, path: string, key: string, selected: Selected): void {
  if (selected === 'containers' && !CONTAINER_FIELDS.has(key)) {
    sink.error('BadLabelSelector', path, `containers have no field ${quote(key)}`, 'use "name" or "repo"');
  } else if (selected === 'labels' && key !== NAMESPACE_LABEL && !isLabelKey(key)) {
    sink.error('BadLabelSelector', path, `${quote(key)} is no key of a label`, 'for example "app" or "app.kubernetes.io/name"');
  }
}

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
