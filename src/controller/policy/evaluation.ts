import { compile, type CompiledPolicy } from '../../policy/compile.ts';
import { encodePlanFrame } from '../../protocol/hub-binary.ts';
import { parse } from '../../policy/parse.ts';
import type { Problem } from '../../policy/problem.ts';
import type { PolicyItem } from './policy-item.ts';

/** What became of a policy's text. */
export type Evaluation =
  | { readonly kind: 'good'; readonly compiled: CompiledPolicy }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  | { readonly kind: 'uncompilable'; readonly problems: readonly Problem[] };

/** One policy on which the language fails, by a mistake of ours, must neither stop the controller nor unload what its nodes run. */
export function evaluate(item: PolicyItem, judge: (item: PolicyItem) => Evaluation = judgeText): Evaluation {
  try {
    return judge(item);
  } catch (error) {
    const message = `Palisade failed on it, which is a mistake of ours: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'uncompilable', problems: [{ code: 'NotSupported', path: 'spec', message, severity: 'error' }] };
  }
}

function judgeText(item: PolicyItem): Evaluation {
  const parsed = parse(item.object);
  if (!parsed.ok) {
    return { kind: 'invalid', problems: parsed.problems };
  }
  const compiled = compile(parsed.value);
  if (!compiled.ok) {
    return { kind: 'uncompilable', problems: compiled.problems };
  }
  const tooLarge = sizeProblem(compiled.value);
  return tooLarge === null ? { kind: 'good', compiled: compiled.value } : { kind: 'uncompilable', problems: [tooLarge] };
}

/** A plan must fit into one frame to the agents. */
function sizeProblem({ plan, digest, text }: CompiledPolicy): Problem | null {
  try {
    encodePlanFrame(plan.format, digest, text);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: 'SetTooLarge', path: 'spec', message, hint: 'split the policy', severity: 'error' };
  }
}
