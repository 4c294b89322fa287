import { LIMITS } from '../limits.ts';
import { compileNamePattern } from '../name-pattern.ts';
import type { PlanGenerated } from '../plan-probes.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ListSpec } from '../schema/hooks.ts';
import { textSet } from '../value-sets.ts';
import { isSymbol, parseSyscall } from './symbols.ts';

/** `syscalls`: names as in a plan (`sys_dup`, `i386/sys_dup`); `functions`: kernel functions. Both sorted, never empty. */
export type CompiledList =
  | { readonly of: 'syscalls' | 'functions'; readonly names: readonly string[] }
  | { readonly of: 'generated'; readonly generated: PlanGenerated };

/** By name. */
export type ListTable = ReadonlyMap<string, CompiledList>;

export function compileLists(sink: ProblemSink, specs: readonly ListSpec[]): ListTable {
  const table = new Map<string, CompiledList>();
  if (specs.length > LIMITS.listsPerPolicy) {
    sink.error('SetTooLarge', 'spec.lists', `${specs.length} lists`, `at most ${LIMITS.listsPerPolicy}`);
    return table;
  }
  for (const [index, spec] of specs.entries()) {
    const path = fieldPath('spec.lists', index);
    if (spec.name === '' || Buffer.byteLength(spec.name) > LIMITS.listNameBytes || !spec.name.isWellFormed()) {
      sink.error('BadList', fieldPath(path, 'name'), `${quote(spec.name)} is no name of a list`, `1 to ${LIMITS.listNameBytes} bytes`);
    }
    if (table.has(spec.name)) {
      sink.error('RepeatedName', fieldPath(path, 'name'), `there is another list ${quote(spec.name)}`);
    }
    table.set(spec.name, compileList(sink, path, spec));
  }
  return table;
}

function compileList(sink: ProblemSink, path: string, spec: ListSpec): CompiledList {
  const type = spec.type ?? '';
  if (type !== 'generated_ftrace' && spec.pattern !== undefined && spec.pattern !== '') {
    sink.error('BadList', fieldPath(path, 'pattern'), 'a pattern is for lists of type generated_ftrace only');
  }
  if (type === 'generated_syscalls' || type === 'generated_ftrace') {
    if ((spec.values ?? []).length > 0) {
      sink.error('BadList', fieldPath(path, 'values'), `a list of type ${type} is made by the node and has no values`);
    }
    return { of: 'generated', generated: type === 'generated_syscalls' ? { from: 'syscalls' } : ftrace(sink, path, spec.pattern ?? '') };
  }
  const at = fieldPath(path, 'values');
  const values = spec.values ?? [];
  if (values.length === 0) {
    sink.error('NoValues', at, 'has no values');
  } else if (values.length > LIMITS.valuesPerFilter) {
    sink.error('SetTooLarge', at, `${values.length} values`, `at most ${LIMITS.valuesPerFilter}`);
    return { of: 'functions', names: [] };
  }
  if (type === 'syscalls') {
    return { of: 'syscalls', names: textSet(values.flatMap((value, index) => syscall(sink, fieldPath(at, index), value))) };
  }
  for (const [index, value] of values.entries()) {
    checkFunction(sink, fieldPath(at, index), value);
  }
  return { of: 'functions', names: textSet(values) };
}

function ftrace(sink: ProblemSink, path: string, pattern: string): PlanGenerated {
  const at = fieldPath(path, 'pattern');
  if (pattern === '') {
    sink.error('BadList', at, 'a list of type generated_ftrace needs a pattern', 'for example "^ksys_"');
  } else {
    const compiled = compileNamePattern(pattern);
    if (!compiled.ok) {
      sink.error('BadPattern', at, `${quote(pattern)}: ${compiled.message}`, compiled.hint);
    }
  }
  return { from: 'ftrace', pattern };
}

function syscall(sink: ProblemSink, path: string, value: string): readonly string[] {
  const name = parseSyscall(value);
  if (name === undefined) {
    const hint = 'for example "sys_dup" or "i386/sys_dup"; ABIs are x64, i386, arm64 and arm32';
    sink.error('BadHookName', path, `${quote(value)} is no name of a system call`, hint);
    return [];
  }
  return [name];
}

function checkFunction(sink: ProblemSink, path: string, value: string): void {
  if (!isSymbol(value)) {
    sink.error('BadHookName', path, `${quote(value)} is no name of a function`);
  } else if (value.startsWith('sys_')) {
    sink.error('BadHookName', path, `${quote(value)} is a system call, and no kernel function has that name`, 'set "type: syscalls"');
  }
}
