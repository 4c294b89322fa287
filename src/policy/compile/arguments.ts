import { LIMITS } from '../limits.ts';
import type { PlanArg, PlanHookKind } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ArgumentSpec } from '../schema/arguments.ts';
import { PLAN_TYPES, isBuffer, typeProblem } from './argument-types.ts';
import type { DeclaredArg } from './declared.ts';
import { compileRegisterName, compileResolvePath } from './resolve-path.ts';

/** What of a hook decides how values are read. */
export type ValueContext = {
  readonly kind: PlanHookKind;
  /** The hook has a file with BTF of the program (`btfPath`). */
  readonly hasBtfFile: boolean;
};

export type ValueSpecs = {
  readonly args?: readonly ArgumentSpec[] | undefined;
  readonly data?: readonly ArgumentSpec[] | undefined;
  readonly returnArg?: ArgumentSpec | undefined;
};

/** All values that a hook reads, in the order of the plan: args, data, the return value. */
export function compileValues(sink: ProblemSink, path: string, context: ValueContext, specs: ValueSpecs): readonly DeclaredArg[] {
  const listed = [
    ...(specs.args ?? []).map((spec, index) => ({ list: 'args', spec, index, at: fieldPath(fieldPath(path, 'args'), index) }) as const),
    ...(specs.data ?? []).map((spec, index) => ({ list: 'data', spec, index, at: fieldPath(fieldPath(path, 'data'), index) }) as const),
    ...[specs.returnArg ?? []].flat().map((spec) => ({ list: 'returnArg', spec, index: 0, at: fieldPath(path, 'returnArg') }) as const),
  ];
  if (listed.length > LIMITS.argsPerHook) {
    sink.error('TooManySlots', fieldPath(path, 'args'), `${listed.length} values are read`, `at most ${LIMITS.argsPerHook}`);
  }
  return listed.map(({ list, spec, index, at }, position) => ({
    list,
    spec,
    position,
    plan: compileValue(sink, at, context, { list, index, spec }),
  }));
}

type Listed = { readonly list: DeclaredArg['list']; readonly index: number; readonly spec: ArgumentSpec };
type Reading = { -readonly [Key in 'from' | 'resolve' | 'btfType' | 'btfModule']?: NonNullable<PlanArg[Key]> };

function compileValue(sink: ProblemSink, at: string, context: ValueContext, { list, index, spec }: Listed): PlanArg | null {
  checkIndex(sink, at, context.kind, list, spec.index);
  checkLabel(sink, fieldPath(at, 'label'), spec.label ?? '');
  const type = PLAN_TYPES[spec.type];
  const reading = compileReading(sink, at, context, list, spec);
  const isProgram = context.kind === 'uprobe' || context.kind === 'usdt';
  const problem = typeProblem(type, context.kind, {
    ofProgram: isProgram && reading.from !== 'current_task',
    resolved: reading.resolve !== undefined && reading.from !== 'pt_regs',
    returned: list === 'returnArg',
  });
  if (problem !== null) {
    sink.error('TypeNotUsable', fieldPath(at, 'type'), problem.message, problem.hint);
    return null;
  }
  return {
    index: list === 'data' ? index : spec.index,
    type,
    label: (spec.label ?? '').toWellFormed(),
    ...reading,
    ...compileBuffer(sink, at, context.kind, list, spec),
  };
}

function checkIndex(sink: ProblemSink, at: string, kind: PlanHookKind, list: Listed['list'], index: number): void {
  const max = maxIndexOf(kind);
  if (list !== 'data' && index > max) {
    sink.error('ArgIndexOutOfRange', fieldPath(at, 'index'), `there is no argument ${index}`, `at most ${max}`);
  }
}

function maxIndexOf(kind: PlanHookKind): number {
  switch (kind) {
    case 'tracepoint':
      return LIMITS.maxTracepointFieldIndex;
    case 'usdt':
      return LIMITS.maxUsdtArgIndex;
    default:
      return LIMITS.maxArgIndex;
  }
}

function checkLabel(sink: ProblemSink, path: string, label: string): void {
  const bytes = Buffer.byteLength(label);
  if (bytes > LIMITS.labelBytes) {
    sink.error('ValueTooLong', path, `${bytes} bytes is too long`, `at most ${LIMITS.labelBytes}`);
  }
}

/** Where the value begins, and what is followed from there. */
function compileReading(sink: ProblemSink, at: string, context: ValueContext, list: Listed['list'], spec: ArgumentSpec): Reading {
  const reading: Reading = {};
  const source = sourceOf(sink, at, list, spec);
  if (source !== undefined) {
    reading.from = source;
  }
  const resolve = spec.resolve ?? '';
  const resolveAt = fieldPath(at, 'resolve');
  if (list === 'data' && resolve === '') {
    sink.error('MissingField', resolveAt, 'data needs resolve', 'a member such as "mm.owner.comm", or a register for pt_regs');
  } else if (resolve !== '' && spec.type === 'nop') {
    sink.error('UselessField', resolveAt, 'says nothing to "type: nop", which reads nothing');
  } else if (resolve !== '') {
    reading.resolve = source === 'pt_regs' ? compileRegisterName(sink, resolveAt, resolve) : compileResolvePath(sink, resolveAt, resolve);
  }
  const cast = compileCast(sink, at, context, spec, reading);
  return { ...reading, ...cast };
}

function sourceOf(sink: ProblemSink, at: string, list: Listed['list'], spec: ArgumentSpec): Reading['from'] {
  const source = spec.source ?? '';
  const path = fieldPath(at, 'source');
  if (list !== 'data') {
    if (source !== '') {
      sink.error('UselessField', path, `${list} cannot have a source`, 'put it in "data"');
    }
    return list === 'returnArg' ? 'return' : undefined;
  }
  if (source === 'current_task' || source === 'pt_regs') {
    return source;
  }
  const code = source === '' ? 'MissingField' : 'WrongValue';
  sink.error(code, path, source === '' ? 'data needs a source' : `${quote(source)} is no source`, 'use "current_task" or "pt_regs"');
  return undefined;
}

const TYPE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,126}$/;
const MODULE_NAME = /^[A-Za-z0-9_-]{1,55}$/;

function compileCast(sink: ProblemSink, at: string, context: ValueContext, spec: ArgumentSpec, reading: Reading): Reading {
  const btfType = spec.btfType ?? '';
  const module = spec.btfTypeModule ?? '';
  const typeAt = fieldPath(at, 'btfType');
  const isProgram = (context.kind === 'uprobe' || context.kind === 'usdt') && reading.from !== 'current_task';
  if (btfType === '') {
    if (module !== '') {
      sink.error('UselessField', fieldPath(at, 'btfTypeModule'), 'says nothing without btfType');
    }
    if (isProgram && reading.resolve !== undefined && reading.from !== 'pt_regs') {
      sink.error('MissingField', typeAt, 'to resolve a value of a program needs btfType and btfPath');
    }
    return {};
  }
  if (reading.resolve === undefined || reading.from === 'pt_regs') {
    sink.error('UselessField', typeAt, 'says nothing without a path to resolve');
  } else if (!TYPE_NAME.test(btfType)) {
    sink.error('BadTypeName', typeAt, `${quote(btfType)} is no name of a struct`, 'for example "task_struct"');
  } else if (isProgram && !context.hasBtfFile) {
    sink.error('MissingField', typeAt, 'a type of a program is looked up in btfPath, which is missing');
  }
  if (module !== '' && (isProgram || !MODULE_NAME.test(module))) {
    const message = isProgram ? 'types of a program are in btfPath, in no kernel module' : `${quote(module)} is no name of a kernel module`;
    sink.error('BadTypeName', fieldPath(at, 'btfTypeModule'), message);
  }
  // Kernel modules are known with underscores, wherever people write dashes.
  return module === '' ? { btfType } : { btfType, btfModule: module.replaceAll('-', '_') };
}

type BufferReading = { -readonly [Key in 'sizeIndex' | 'returnCopy' | 'maxData']?: NonNullable<PlanArg[Key]> };

function compileBuffer(sink: ProblemSink, at: string, kind: PlanHookKind, list: Listed['list'], spec: ArgumentSpec): BufferReading {
  const type = PLAN_TYPES[spec.type];
  const sizeArgIndex = spec.sizeArgIndex ?? 0;
  const buffer: BufferReading = {};
  // The type of a tracepoint's field is found later: it may turn out to be a buffer.
  const mayBeBuffer = isBuffer(type) || (type === 'auto' && (kind === 'tracepoint' || kind === 'raw_tracepoint'));
  const useless = (field: keyof ArgumentSpec, message: string): void => sink.error('UselessField', fieldPath(at, field), message);
  if (sizeArgIndex > 0) {
    if (!mayBeBuffer || list === 'data') {
      useless('sizeArgIndex', 'is the position plus 1 of the size of a char_buf or char_iovec in args, and this is none');
    } else if (sizeArgIndex - 1 > maxIndexOf(kind)) {
      sink.error(
        'ArgIndexOutOfRange',
        fieldPath(at, 'sizeArgIndex'),
        `there is no argument ${sizeArgIndex - 1}`,
        `at most ${maxIndexOf(kind) + 1}`,
      );
    }
    buffer.sizeIndex = sizeArgIndex - 1;
  }
  if (spec.returnCopy) {
    if (!isBuffer(type) || list !== 'args') {
      useless('returnCopy', 'is for char_buf and char_iovec in args only');
    } else if (kind !== 'kprobe' && kind !== 'fentry' && kind !== 'uprobe') {
      useless('returnCopy', 'is for kprobes, fentries and uprobes only: nothing else returns');
    }
    buffer.returnCopy = true;
  }
  if (spec.maxData) {
    if (type !== 'char_buf' || spec.returnCopy) {
      useless('maxData', spec.returnCopy ? 'cannot be had together with returnCopy' : 'is for char_buf only');
    }
    buffer.maxData = true;
  }
  const knowsSize = buffer.sizeIndex !== undefined || (type === 'char_buf' && spec.returnCopy);
  if (isBuffer(type) && !knowsSize) {
    const hint = 'the position plus 1 of the argument with the size';
    sink.error('MissingField', fieldPath(at, 'sizeArgIndex'), `without it nothing of a ${type} is read`, hint);
  }
  return buffer;
}
