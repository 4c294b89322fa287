/** What a filter says about a call. Negation does not change `unknown`. */
export type Answer = 'yes' | 'no' | 'unknown';

/** Of a filter on a value that is known: a negated one holds if nothing hits. */
export function hitOrMiss(hit: boolean, negated: boolean): Answer {
  return hit === negated ? 'no' : 'yes';
}

/** Of every operator: the negated ones are those whose name says so. */
export function isNegated(operator: string): boolean {
  return operator.startsWith('Not');
}
