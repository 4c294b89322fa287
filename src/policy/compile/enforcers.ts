import { LIMITS } from '../limits.ts';
import type { PlanEnforcer, PlanOptions } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { EnforcerSpec } from '../schema/hooks.ts';
import { textSet } from '../value-sets.ts';
import { findList } from './declared.ts';
import type { ListTable } from './lists.ts';
import { isSymbol, parseSyscall } from './symbols.ts';

/** The calls that `notify_enforcer` can deny or kill in; undefined if there are none. */
export function compileEnforcers(
  sink: ProblemSink,
  specs: readonly EnforcerSpec[],
  lists: ListTable,
  method: PlanOptions['overrideMethod'],
): PlanEnforcer | undefined {
  const [spec] = specs;
  if (spec === undefined) {
    return undefined;
  }
  if (specs.length > 1) {
    sink.error('TooManyEnforcers', 'spec.enforcers', `${specs.length} enforcers`, 'one; name all calls in it');
  }
  const path = 'spec.enforcers[0]';
  const at = fieldPath(path, 'calls');
  const distinct = new Map(spec.calls.map((call, index) => [call, index]));
  const calls = textSet([...distinct].flatMap(([call, index]) => callsOf(sink, fieldPath(at, index), call, lists)));
  if (spec.calls.length === 0) {
    sink.error('NoValues', at, 'names no call');
  } else if (calls.length > LIMITS.enforcerCalls) {
    sink.error('SetTooLarge', at, `${calls.length} calls`, `at most ${LIMITS.enforcerCalls}`);
  }
  const security = calls.find(isSecurityFunction);
  if (method === 'override_return' && security !== undefined) {
    const hint = 'leave the option override-method out, or set it to "fmod-ret"';
    sink.error('EnforcerConflict', at, `${quote(security)} cannot be denied by override-return`, hint);
  }
  return { path, calls };
}

function callsOf(sink: ProblemSink, path: string, call: string, lists: ListTable): readonly string[] {
  if (!call.startsWith('list:')) {
    return checked(sink, path, call);
  }
  const list = findList(sink, path, call, lists);
  if (list === undefined || list.of === 'syscalls') {
    return list?.names ?? [];
  }
  if (list.of === 'generated') {
    sink.error('BadList', path, `${quote(call)} is made by the node; an enforcer names its calls`, 'use a list of type syscalls');
    return [];
  }
  return list.names.flatMap((name) => checked(sink, path, name));
}

function checked(sink: ProblemSink, path: string, call: string): readonly string[] {
  const name = isSecurityFunction(call) ? call : parseSyscall(call);
  if (name === undefined) {
    const hint = 'write "sys_…" or "security_…"';
    sink.error('BadHookName', path, `${quote(call)} is neither a system call nor a security_* function: it cannot be denied`, hint);
    return [];
  }
  return [name];
}

function isSecurityFunction(call: string): boolean {
  return call.startsWith('security_') && isSymbol(call);
}
