/** From an argument of a policy to the slot that the engine extracts, by the way the hook is reached. */
import type { SlotFields } from '../abi/hook-config.ts';
import {
  PAL_PATH_MAX,
  PAL_SF_DATALOC,
  PAL_SF_DPATH,
  PAL_SF_FIELD_ARRAY,
  PAL_SF_LATE,
  PAL_SF_RETURN_COPY,
  PAL_SF_SIGNED,
  PAL_SF_USER,
  PAL_SRC_ARG,
  PAL_SRC_BPRM_FILENAME,
  PAL_SRC_FIELD,
  PAL_SRC_PROBE_ARG,
  PAL_SRC_REGISTER,
  PAL_SRC_RETURN,
  PAL_SRC_TASK,
  PAL_STEPS,
  PAL_T_INT,
  PAL_T_STRING,
} from '../abi/layout.ts';
import type { PlanArg, PlanArgType, PlanHook } from '../policy/plan.ts';
import type { Convention } from './attach-target.ts';
import { fitsType, integerOf, memoryType, scalarType } from './slot-type.ts';
import { failed, linked, type LinkResult } from './link-failure.ts';
import { memberQuery, type MemberPrototype, type Prototype, type Prototypes, type TracepointField } from './prototype.ts';

/** What an argument's slot depends on, besides the argument. */
export type SlotContext = {
  readonly convention: Convention;
  readonly hook: PlanHook;
  /** Undefined: not known; null: the kernel has no such thing. */
  readonly prototype: Prototype | null | undefined;
  readonly prototypes: Prototypes;
  /** True: an unreadable path of this hook is decided later, in the late hook. */
  readonly decidesLate: boolean;
};

/** `sizeIndex`: the register that holds the size of the buffer; its slot is found when all are known. */
export type WantedSlot = SlotFields & { readonly sizeIndex?: number };

/** The context words and registers that the engine can reach. */
const MAX_REGISTER = 5;
/** One read of a buffer, and all of one that goes out in pieces (engine-spec 2.3). */
const BUFFER_BYTES = 4095;
const MAX_DATA_BYTES = 327_360;

/** The slot of an argument as its hook reads it; null: nothing is read (`nop`). */
export function slotOf(arg: PlanArg, context: SlotContext): LinkResult<WantedSlot | null> {
  if (arg.type === 'nop') return linked(null);
  const base = context.convention === 'record' && arg.from === undefined ? fieldSlot(arg, context) : wordSlot(arg, context);
  if (!base.ok) return base;
  const flags = base.value.flags | (arg.returnCopy === true ? PAL_SF_RETURN_COPY : 0);
  const maxBytes = arg.maxData === true ? MAX_DATA_BYTES : base.value.maxBytes;
  return linked({ ...base.value, flags, maxBytes, ...(arg.sizeIndex === undefined ? {} : { sizeIndex: arg.sizeIndex }) });
}

/** The slot of the path in the late hook of execve and execveat. `bprmWord`: which context word is the linux_binprm. */
export function latePathSlot(bprmWord: number): SlotFields {
  return memorySlot('string', PAL_SRC_BPRM_FILENAME, bprmWord, 0, []);
}

/** A slot for the size of a buffer. */
export function sizeSlot(index: number): SlotFields {
  return integerSlot(PAL_SRC_ARG, index, 8, 0, []);
}

/** Which argument of these two system calls is the path that may lie in a page not faulted in yet. */
export function latePathIndex(hook: PlanHook): number | null {
  if (!hook.syscall) return null;
  return hook.target === 'sys_execve' ? 0 : hook.target === 'sys_execveat' ? 1 : null;
}

/** A word that is there when the program starts, or what members lead to from it. */
function wordSlot(arg: PlanArg, context: SlotContext): LinkResult<WantedSlot> {
  const source = sourceOf(arg, context.hook);
  if (source === PAL_SRC_ARG && arg.index > MAX_REGISTER) {
    return failed({ reason: 'ArgIndexOutOfRange', message: `argument ${arg.index} is not in a register; 0 to ${MAX_REGISTER} are` });
  }
  const described = context.prototype?.kind === 'function' && !context.hook.syscall ? context.prototype.args : undefined;
  const actual = source === PAL_SRC_ARG ? described?.find((entry) => entry.index === arg.index) : undefined;
  if (source === PAL_SRC_ARG && described !== undefined && actual === undefined) {
    return failed({
      reason: 'ArgIndexOutOfRange',
      message: `${context.hook.target} has ${described.length} arguments in this kernel; there is no argument ${arg.index}`,
    });
  }
  const member = memberOf(arg, context);
  if (!member.ok) return member;
  if (actual !== undefined && arg.resolve === undefined && arg.btfType === undefined && !fitsType(arg.type, actual)) {
    return failed({
      reason: 'BtfTypeMismatch',
      message: `argument ${arg.index} of ${context.hook.target} is ${actual.type} in this kernel, not ${arg.type}`,
    });
  }
  const steps = member.value?.steps ?? [];
  const register = source === PAL_SRC_ARG || source === PAL_SRC_PROBE_ARG ? arg.index : 0;
  const type = arg.type === 'auto' ? autoType(member.value) : arg.type;
  if (type === null) {
    return failed({
      reason: 'BtfTypeMismatch',
      message: `argument ${arg.index} of ${context.hook.target} is neither a number nor a text here`,
    });
  }
  const integer = integerOf(type);
  if (integer !== null) return linked(integerSlot(source, register, integer.bytes, integer.signed ? PAL_SF_SIGNED : 0, steps));
  const scalar = scalarType(type);
  if (scalar !== null) return linked({ ...integerSlot(source, register, 8, 0, steps), type: scalar });
  const isUser = source === PAL_SRC_ARG && (context.hook.syscall || context.hook.user !== undefined || actual?.type === 'user-ptr');
  const isLate = context.decidesLate && latePathIndex(context.hook) === arg.index && source === PAL_SRC_ARG;
  const flags =
    type === 'file' || type === 'path'
      ? context.convention === 'context' && steps.length === 0
        ? PAL_SF_DPATH
        : 0
      : (isUser ? PAL_SF_USER : 0) | (isLate ? PAL_SF_LATE : 0);
  return linked(memorySlot(type, source, register, flags, steps));
}

function sourceOf(arg: PlanArg, hook: PlanHook): number {
  switch (arg.from) {
    case 'return':
      return PAL_SRC_RETURN;
    case 'current_task':
      return PAL_SRC_TASK;
    case 'pt_regs':
      return PAL_SRC_REGISTER;
    default:
      return hook.kind === 'usdt' ? PAL_SRC_PROBE_ARG : PAL_SRC_ARG;
  }
}

/** Null: the argument is taken as it is. */
function memberOf(arg: PlanArg, context: SlotContext): LinkResult<MemberPrototype | null> {
  const query = memberQuery(arg, context.hook);
  if (query === null) return linked(null);
  const found = context.prototypes.get(query);
  if (found?.kind !== 'member') {
    return failed({ reason: 'ResolvePathNotFound', message: `${(arg.resolve ?? []).join('.')} leads nowhere in this kernel (${query})` });
  }
  if (found.steps.length > PAL_STEPS) {
    return failed({
      reason: 'ResolveTooDeep',
      message: `${(arg.resolve ?? []).join('.')} takes ${found.steps.length} steps; ${PAL_STEPS} fit`,
    });
  }
  return linked(found);
}

function autoType(member: MemberPrototype | null): PlanArgType | null {
  if (member === null) return null;
  if (member.type === 'int') return member.signed ? `int${bitsOf(member.bytes)}` : `uint${bitsOf(member.bytes)}`;
  return member.type === 'ptr' || member.type === 'user-ptr' ? 'string' : null;
}

function bitsOf(bytes: number): 8 | 16 | 32 | 64 {
  return bytes === 1 ? 8 : bytes === 2 ? 16 : bytes === 4 ? 32 : 64;
}

function fieldSlot(arg: PlanArg, context: SlotContext): LinkResult<SlotFields> {
  const prototype = context.prototype;
  if (prototype === null) return failed({ reason: 'TracepointMissing', message: `this kernel has no tracepoint ${context.hook.target}` });
  if (prototype?.kind !== 'tracepoint') {
    return failed({ reason: 'TracepointMissing', message: `the format of tracepoint ${context.hook.target} is not known` });
  }
  const field = prototype.fields[arg.index];
  if (field === undefined) {
    return failed({
      reason: 'TracepointFieldMissing',
      message: `${context.hook.target} has ${prototype.fields.length} fields in this kernel; there is no field ${arg.index}`,
    });
  }
  const isWord = !field.dataLocation && [1, 2, 4, 8].includes(field.bytes);
  const auto = field.signed ? (`int${bitsOf(field.bytes)}` as const) : (`uint${bitsOf(field.bytes)}` as const);
  const type = arg.type !== 'auto' ? arg.type : isWord ? auto : 'string';
  const integer = integerOf(type);
  if (integer !== null) {
    if (!isWord) return failed(wrongField(arg, context.hook, field));
    // System call tracepoints keep narrow arguments in 8-byte fields: the low bytes are the value.
    const bytes = Math.min(integer.bytes, field.bytes);
    const signed = integer.bytes <= field.bytes ? integer.signed : field.signed;
    return linked(integerSlot(PAL_SRC_FIELD, 0, bytes, signed ? PAL_SF_SIGNED : 0, [field.offset]));
  }
  const scalar = scalarType(type);
  if (scalar !== null) return linked({ ...integerSlot(PAL_SRC_FIELD, 0, 8, 0, [field.offset]), type: scalar });
  if (type !== 'string' && type !== 'data_loc') {
    return field.bytes === 8 ? linked(memorySlot(type, PAL_SRC_FIELD, 0, 0, [field.offset])) : failed(wrongField(arg, context.hook, field));
  }
  if (field.dataLocation) return linked(memorySlot(type, PAL_SRC_FIELD, 0, PAL_SF_DATALOC, [field.offset]));
  if (field.bytes === 8) {
    const flags = context.hook.target.startsWith('syscalls/') ? PAL_SF_USER : 0;
    return linked(memorySlot(type, PAL_SRC_FIELD, 0, flags, [field.offset]));
  }
  const slot = memorySlot(type, PAL_SRC_FIELD, 0, PAL_SF_FIELD_ARRAY, [field.offset]);
  return linked({ ...slot, maxBytes: Math.min(field.bytes, PAL_PATH_MAX) });
}

function integerSlot(source: number, register: number, width: number, flags: number, steps: readonly number[]): SlotFields {
  return { type: PAL_T_INT, source, register, flags, width, storage: 'scalar', maxBytes: 0, steps };
}

function memorySlot(type: PlanArgType, source: number, register: number, flags: number, steps: readonly number[]): SlotFields {
  const maxBytes = type === 'char_buf' || type === 'const_buf' ? BUFFER_BYTES : PAL_PATH_MAX;
  return { type: memoryType(type) ?? PAL_T_STRING, source, register, flags, width: 8, storage: 'memory', maxBytes, steps };
}

function wrongField(arg: PlanArg, hook: PlanHook, field: TracepointField): { reason: 'TracepointFieldMissing'; message: string } {
  const shape = field.dataLocation ? 'text of variable length' : `${field.bytes} bytes`;
  return {
    reason: 'TracepointFieldMissing',
    message: `field ${arg.index} (${field.name}) of ${hook.target} is ${shape} in this kernel and cannot be read as ${arg.type}`,
  };
}
