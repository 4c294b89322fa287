import type { TestedPolicy } from './hook-names.ts';
import { hookName } from './hook-names.ts';
import type { CaseResult } from './run-tests.ts';

/** A selector of a policy, and how many cases it matched in. */
export type SelectorCoverage = {
  readonly policy: string;
  /** `spec.kprobes[0].selectors[1]`. */
  readonly path: string;
  /** `kprobe:security_file_open`; of a list of functions the first. */
  readonly hook: string;
  readonly matchCount: number;
};

/** Which selectors cases matched; functions of a list share theirs. */
export function coverageOf(policies: readonly TestedPolicy[], cases: readonly CaseResult[]): readonly SelectorCoverage[] {
  const matched = new Map<string, number>();
  for (const { result } of cases) {
    for (const { policy, hook, entry } of result.hooks) {
      const selector = entry.selector === null ? undefined : hook.selectors[entry.selector];
      if (selector === undefined) continue;
      const key = keyOf(policy.name, selector.path);
      matched.set(key, (matched.get(key) ?? 0) + 1);
    }
  }
  const selectors = new Map<string, SelectorCoverage>();
  for (const { name, plan } of policies) {
    for (const hook of plan.hooks) {
      for (const { path } of hook.selectors) {
        const key = keyOf(name, path);
        const known = selectors.get(key);
        if (known === undefined) selectors.set(key, { policy: name, path, hook: hookName(hook), matchCount: matched.get(key) ?? 0 });
      }
    }
  }
  return [...selectors.values()];
}

function keyOf(policy: string, path: string): string {
  return JSON.stringify([policy, path]);
}
