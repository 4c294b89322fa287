import { LIMITS } from '../limits.ts';
import type { PlanHook } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ArgumentSpec } from '../schema/arguments.ts';
import type { KprobeSpec, LsmHookSpec, TracepointSpec } from '../schema/hooks.ts';
import type { SelectorSpec } from '../schema/selectors.ts';
import { compileValues } from './arguments.ts';
import { compileSelectors } from './selectors.ts';
import { UNSUPPORTED_KPROBE_FIELDS, UNSUPPORTED_TRACEPOINT_FIELDS, notSupported, refuseFields } from './unsupported.ts';

/** Functions may carry what compilers add: `foo.constprop.0`. */
const SYMBOL = /^[A-Za-z_][A-Za-z0-9_.]{0,126}$/;
const SYSCALL = /^sys_[a-z0-9_]{1,60}$/;
const TRACEPOINT_PART = /^[A-Za-z_][A-Za-z0-9_-]{0,126}$/;

export function compileKprobe(sink: ProblemSink, index: number, spec: KprobeSpec): PlanHook {
  const path = fieldPath('spec.kprobes', index);
  refuseFields(sink, path, spec, UNSUPPORTED_KPROBE_FIELDS);
  const target = spec.syscall ? syscallName(sink, path, spec.call) : functionName(sink, path, spec.call);
  const canDeny = spec.syscall || target.startsWith('security_');
  const head = { kind: 'kprobe', section: 'kprobes', index, path, target, syscall: spec.syscall, canDeny } as const;
  return compileHook(sink, head, spec);
}

export function compileLsmHook(sink: ProblemSink, index: number, spec: LsmHookSpec): PlanHook {
  const path = fieldPath('spec.lsmhooks', index);
  const at = fieldPath(path, 'hook');
  const bare = spec.hook.replace(/^(security_|bpf_lsm_)/, '');
  if (bare !== spec.hook) {
    sink.error('BadHookName', at, `${quote(spec.hook)} has a prefix`, `did you mean ${quote(bare)}?`);
  } else if (!SYMBOL.test(spec.hook)) {
    sink.error('BadHookName', at, `${quote(spec.hook)} is no name of an LSM hook`);
  }
  const head = { kind: 'lsm', section: 'lsmhooks', index, path, target: bare, syscall: false, canDeny: true } as const;
  return compileHook(sink, head, spec);
}

export function compileTracepoint(sink: ProblemSink, index: number, spec: TracepointSpec): PlanHook {
  const path = fieldPath('spec.tracepoints', index);
  refuseFields(sink, path, spec, UNSUPPORTED_TRACEPOINT_FIELDS);
  for (const field of ['subsystem', 'event'] as const) {
    if (!TRACEPOINT_PART.test(spec[field])) {
      sink.error('BadHookName', fieldPath(path, field), `${quote(spec[field])} is no name of a tracepoint's ${field}`);
    }
  }
  const target = `${spec.subsystem}/${spec.event}`;
  const head = { kind: 'tracepoint', section: 'tracepoints', index, path, target, syscall: false, canDeny: false } as const;
  return compileHook(sink, head, spec);
}

type HookHead = Pick<PlanHook, 'kind' | 'section' | 'index' | 'path' | 'target' | 'syscall'> & { readonly canDeny: boolean };

type HookBody = {
  readonly message?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly args?: readonly ArgumentSpec[] | undefined;
  readonly selectors?: readonly SelectorSpec[] | undefined;
};

function compileHook(sink: ProblemSink, head: HookHead, body: HookBody): PlanHook {
  const { canDeny, ...identity } = head;
  const args = compileValues(sink, head.path, { kind: head.kind, hasBtfFile: false }, { args: body.args });
  return {
    ...identity,
    message: body.message === undefined ? '' : compileText(sink, fieldPath(head.path, 'message'), body.message, LIMITS.messageBytes),
    tags: (body.tags ?? []).map((tag, index) => compileText(sink, fieldPath(fieldPath(head.path, 'tags'), index), tag, LIMITS.tagBytes)),
    args: args.flatMap((arg) => (arg.plan === null ? [] : [arg.plan])),
    selectors: compileSelectors(sink, head.path, { kind: head.kind, canDeny }, args, body.selectors ?? []),
  };
}

function functionName(sink: ProblemSink, path: string, call: string): string {
  const at = fieldPath(path, 'call');
  if (call.startsWith('list:')) {
    notSupported(sink, at, 'lists of functions are not supported yet');
  } else if (!SYMBOL.test(call)) {
    sink.error('BadHookName', at, `${quote(call)} is no name of a function`);
  }
  return call;
}

/** `sys_execve`, also for `__x64_sys_execve` and `__arm64_sys_execve`. */
function syscallName(sink: ProblemSink, path: string, call: string): string {
  const at = fieldPath(path, 'call');
  const name = call.replace(/^__(x64|arm64)_/, '');
  if (call.startsWith('list:')) {
    notSupported(sink, at, 'lists of functions are not supported yet');
  } else if (!SYMBOL.test(call)) {
    sink.error('BadHookName', at, `${quote(call)} is no name of a function`);
  } else if (!SYSCALL.test(name)) {
    const hint = `set "syscall: false" if it is a kernel function, or write "sys_…" for a system call`;
    sink.error('NotASyscall', at, `${quote(call)} is no system call, and "syscall" is true (the default)`, hint);
  }
  return name;
}

/** Texts are bounded by upstream in characters, here in bytes; what is too long is cut (as upstream) and told. */
function compileText(sink: ProblemSink, path: string, text: string, maxBytes: number): string {
  if (text.length < LIMITS.minTextChars) {
    sink.error('TextTooShort', path, `${quote(text)} is too short`, `at least ${LIMITS.minTextChars} characters`);
  }
  if (Buffer.byteLength(text) <= maxBytes) {
    return text.toWellFormed();
  }
  sink.warn('TextTruncated', path, `is cut after ${maxBytes} bytes`);
  let cut = '';
  let bytes = 0;
  for (const char of text.toWellFormed()) {
    bytes += Buffer.byteLength(char);
    if (bytes > maxBytes) {
      break;
    }
    cut += char;
  }
  return cut;
}
