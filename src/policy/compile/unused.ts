import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { SelectorSpec } from '../schema/selectors.ts';
import { HOOK_SECTIONS, type TracingPolicySpec } from '../schema/spec.ts';

/** Lists, macros and enforcers that nothing refers to: probably a typo, or something forgotten. */
export function warnOfUnused(sink: ProblemSink, spec: TracingPolicySpec): void {
  const selectors = [...selectorsOf(spec), ...Object.values(spec.selectorsMacros ?? {})];
  const references = new Set([
    ...[...(spec.kprobes ?? []), ...(spec.fentries ?? [])].map((hook) => hook.call),
    ...(spec.enforcers ?? []).flatMap((enforcer) => enforcer.calls),
    ...selectors
      .flatMap((selector) => [...(selector.matchArgs ?? []), ...(selector.matchData ?? []), ...(selector.matchReturnArgs ?? [])])
      .flatMap((filter) => filter.values ?? [])
      .filter((value) => value.startsWith('list:')),
  ]);
  for (const [index, list] of (spec.lists ?? []).entries()) {
    if (!references.has(`list:${list.name}`)) {
      sink.warn('Unused', fieldPath('spec.lists', index), `nothing uses the list ${quote(list.name)}`);
    }
  }
  const macros = new Set(selectors.flatMap((selector) => selector.macros ?? []));
  for (const name of Object.keys(spec.selectorsMacros ?? {})) {
    if (!macros.has(name)) {
      sink.warn('Unused', fieldPath('spec.selectorsMacros', name), `no selector uses the macro ${quote(name)}: it is not checked`);
    }
  }
  const notifies = selectors.some((selector) => selector.matchActions?.some((action) => action.action === 'NotifyEnforcer'));
  if ((spec.enforcers ?? []).length > 0 && !notifies) {
    sink.warn('Unused', 'spec.enforcers', 'no selector has the action NotifyEnforcer: nothing is ever denied by it');
  }
}

function selectorsOf(spec: TracingPolicySpec): readonly SelectorSpec[] {
  return HOOK_SECTIONS.flatMap((section) => (spec[section] ?? []).flatMap((hook) => hook.selectors ?? []));
}
