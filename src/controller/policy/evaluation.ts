import { compile, type CompiledPolicy } from '../../policy/compile.ts';
import { parse } from '../../policy/parse.ts';
import type { Problem } from '../../policy/problem.ts';
import type { PolicyItem } from './policy-item.ts';

/** What became of a policy's text. */
export type Evaluation =
  | { readonly kind: 'good'; readonly compiled: CompiledPolicy }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  | { readonly kind: 'uncompilable'; readonly problems: readonly Problem[] };

export function evaluate(item: PolicyItem): Evaluation {
  const parsed = parse(item.object);
  if (!parsed.ok) {
    return { kind: 'invalid', problems: parsed.problems };
  }
  const compiled = compile(parsed.value);
  return compiled.ok ? { kind: 'good', compiled: compiled.value } : { kind: 'uncompilable', problems: compiled.problems };
}
