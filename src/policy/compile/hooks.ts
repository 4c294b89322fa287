import type { PlanHook } from '../plan.ts';
import type { PlanGenerated } from '../plan-probes.ts';
import { LIMITS } from '../limits.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ArgumentSpec } from '../schema/arguments.ts';
import type { KprobeSpec, LsmHookSpec, TracepointSpec } from '../schema/hooks.ts';
import { findList } from './declared.ts';
import { compileBody } from './hook-body.ts';
import type { PolicyContext } from './hook-context.ts';
import { isSymbol, parseSyscall } from './symbols.ts';

const TRACEPOINT_PART = /^[A-Za-z_][A-Za-z0-9_-]{0,126}$/;

/** Probes on kernel functions: one hook for each function that `call` names. */
export function compileFunctionHooks(
  sink: ProblemSink,
  policy: PolicyContext,
  section: 'kprobes' | 'fentries',
  index: number,
  spec: KprobeSpec,
): readonly PlanHook[] {
  const path = fieldPath(`spec.${section}`, index);
  const kind = section === 'kprobes' ? 'kprobe' : 'fentry';
  const { targets, syscall, generated } = functionsOf(sink, fieldPath(path, 'call'), spec, policy);
  if (!syscall) {
    refuseWrappedArguments(sink, path, targets, spec.args ?? []);
  }
  const canDeny = syscall || (generated === undefined && targets.every((target) => target.startsWith('security_')));
  const body = compileBody(sink, policy, { path, kind, target: '', canDeny, hasBtfFile: false }, spec);
  return targets.map((target) => ({
    kind,
    section,
    index,
    path,
    target,
    syscall,
    ...(generated === undefined ? {} : { generated }),
    ...(spec.ignore?.callNotFound === true ? { ignoreMissing: true as const } : {}),
    ...body,
  }));
}

type Functions = { readonly targets: readonly string[]; readonly syscall: boolean; readonly generated?: PlanGenerated };

/** A list decides by its type what its names are; `syscall` of the hook is not looked at then (as upstream). */
function functionsOf(sink: ProblemSink, path: string, { call, syscall }: KprobeSpec, { lists }: PolicyContext): Functions {
  if (!call.startsWith('list:')) {
    return { targets: [syscall ? syscallName(sink, path, call) : functionName(sink, path, call)], syscall };
  }
  const list = findList(sink, path, call, lists);
  switch (list?.of) {
    case undefined:
      return { targets: [], syscall };
    case 'generated':
      return { targets: [call.slice('list:'.length)], syscall: list.generated.from === 'syscalls', generated: list.generated };
    case 'syscalls':
    case 'functions':
      // More make too many hooks anyway.
      return { targets: list.names.slice(0, LIMITS.hooksPerPolicy + 1), syscall: list.of === 'syscalls' };
  }
}

const SYSCALL_WRAPPER = /^__(x64|ia32|arm64|arm32)_(compat_)?sys_/;

/** These functions have one argument, the saved registers: numbers of the system call's arguments would read what is no argument. */
function refuseWrappedArguments(sink: ProblemSink, path: string, targets: readonly string[], args: readonly ArgumentSpec[]): void {
  const wrapper = targets.find((target) => SYSCALL_WRAPPER.test(target));
  const position = args.findIndex((arg) => arg.type !== 'nop' && (arg.resolve ?? '') === '');
  if (wrapper !== undefined && position !== -1) {
    const message = `${quote(wrapper)} is a system call: its arguments are not those of the function`;
    sink.error('ASyscall', fieldPath(fieldPath(path, 'args'), position), message, 'set "syscall: true"');
  }
}

function functionName(sink: ProblemSink, path: string, call: string): string {
  if (!isSymbol(call)) {
    sink.error('BadHookName', path, `${quote(call)} is no name of a function`);
  }
  return call;
}

function syscallName(sink: ProblemSink, path: string, call: string): string {
  const name = parseSyscall(call);
  if (name !== undefined) {
    return name;
  }
  if (isSymbol(call)) {
    const hint = `set "syscall: false" if it is a kernel function, or write "sys_…" for a system call`;
    sink.error('NotASyscall', path, `${quote(call)} is no system call, and "syscall" is true (the default)`, hint);
  } else {
    sink.error('BadHookName', path, `${quote(call)} is no name of a function`);
  }
  return call;
}

export function compileLsmHook(sink: ProblemSink, policy: PolicyContext, index: number, spec: LsmHookSpec): PlanHook {
  const path = fieldPath('spec.lsmhooks', index);
  const at = fieldPath(path, 'hook');
  const target = spec.hook.replace(/^(security_|bpf_lsm_)/, '');
  if (target !== spec.hook) {
    sink.error('BadHookName', at, `${quote(spec.hook)} has a prefix`, `did you mean ${quote(target)}?`);
  } else if (!isSymbol(spec.hook)) {
    sink.error('BadHookName', at, `${quote(spec.hook)} is no name of an LSM hook`);
  }
  const kind = 'lsm';
  const body = compileBody(sink, policy, { path, kind, target, canDeny: true, hasBtfFile: false }, spec);
  return { kind, section: 'lsmhooks', index, path, target, syscall: false, ...body };
}

export function compileTracepoint(sink: ProblemSink, policy: PolicyContext, index: number, spec: TracepointSpec): PlanHook {
  const path = fieldPath('spec.tracepoints', index);
  for (const field of ['subsystem', 'event'] as const) {
    if (!TRACEPOINT_PART.test(spec[field])) {
      sink.error('BadHookName', fieldPath(path, field), `${quote(spec[field])} is no name of a tracepoint's ${field}`);
    }
  }
  const kind = spec.raw ? 'raw_tracepoint' : 'tracepoint';
  const target = `${spec.subsystem}/${spec.event}`;
  const body = compileBody(sink, policy, { path, kind, target, canDeny: false, hasBtfFile: false }, spec);
  return { kind, section: 'tracepoints', index, path, target, syscall: false, ...body };
}
