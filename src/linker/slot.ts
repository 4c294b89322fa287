/** From an argument of a policy to the slot that the engine extracts, by the way the hook is reached. */
import type { SlotFields } from '../abi/hook-config.ts';
import {
  PAL_PATH_MAX,
  PAL_SF_DATALOC,
  PAL_SF_DPATH,
  PAL_SF_FIELD_ARRAY,
  PAL_SF_LATE,
  PAL_SF_SIGNED,
  PAL_SF_USER,
  PAL_SRC_ARG,
  PAL_SRC_BPRM_FILENAME,
  PAL_SRC_FIELD,
  PAL_T_FILE,
  PAL_T_INT,
  PAL_T_PATH,
  PAL_T_STRING,
} from '../abi/layout.ts';
import type { PlanArg, PlanArgType, PlanHook } from '../policy/plan.ts';
import type { Convention } from './attach-target.ts';
import { failed, linked, type LinkResult } from './link-failure.ts';
import type { FunctionArg, Prototype, TracepointField } from './prototype.ts';

/** What an argument's slot depends on, besides the argument. */
export type SlotContext = {
  readonly convention: Convention;
  readonly hook: PlanHook;
  /** Undefined: not known; null: the kernel has no such thing. */
  readonly prototype: Prototype | null | undefined;
  /** True: an unreadable path of this hook is decided later, in the late hook. */
  readonly decidesLate: boolean;
};

const INTEGER = /^(u?)int(8|16|32|64)$/;
/** The context words and registers that the engine can reach. */
const MAX_REGISTER = 5;

/** The slot of an argument as its hook reads it. */
export function slotOf(arg: PlanArg, context: SlotContext): LinkResult<SlotFields> {
  return context.convention === 'record' ? fieldSlot(arg, context) : registerSlot(arg, context);
}

/** The slot of the path in the late hook of execve and execveat. `bprmWord`: which context word is the linux_binprm. */
export function latePathSlot(bprmWord: number): SlotFields {
  return memorySlot(PAL_T_STRING, PAL_SRC_BPRM_FILENAME, bprmWord, 0, []);
}

/** Which argument of these two system calls is the path that may lie in a page not faulted in yet. */
export function latePathIndex(hook: PlanHook): number | null {
  if (!hook.syscall) return null;
  return hook.target === 'sys_execve' ? 0 : hook.target === 'sys_execveat' ? 1 : null;
}

function registerSlot(arg: PlanArg, context: SlotContext): LinkResult<SlotFields> {
  if (arg.index > MAX_REGISTER) {
    return failed({ reason: 'ArgIndexOutOfRange', message: `argument ${arg.index} is not in a register; 0 to ${MAX_REGISTER} are` });
  }
  const integer = integerType(arg.type);
  const described = context.prototype?.kind === 'function' && !context.hook.syscall ? context.prototype.args : undefined;
  const actual = described?.find((entry) => entry.index === arg.index);
  if (described !== undefined && actual === undefined) {
    return failed({
      reason: 'ArgIndexOutOfRange',
      message: `${context.hook.target} has ${described.length} arguments in this kernel; there is no argument ${arg.index}`,
    });
  }
  if (actual !== undefined && !fitsType(arg.type, actual)) {
    return failed({
      reason: 'BtfTypeMismatch',
      message: `argument ${arg.index} of ${context.hook.target} is ${actual.type} in this kernel, not ${arg.type}`,
    });
  }
  if (integer !== null) return linked(integerSlot(PAL_SRC_ARG, arg.index, integer.bytes, integer.signed ? PAL_SF_SIGNED : 0, []));
  const isUser = context.hook.syscall || actual?.type === 'user-ptr';
  const isLate = context.decidesLate && latePathIndex(context.hook) === arg.index;
  const flags =
    arg.type === 'string' ? (isUser ? PAL_SF_USER : 0) | (isLate ? PAL_SF_LATE : 0) : context.convention === 'context' ? PAL_SF_DPATH : 0;
  return linked(memorySlot(memoryType(arg.type), PAL_SRC_ARG, arg.index, flags, []));
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
  const integer = integerType(arg.type);
  if (integer !== null) {
    if (field.dataLocation || ![1, 2, 4, 8].includes(field.bytes)) return failed(wrongField(arg, context.hook, field));
    // System call tracepoints keep narrow arguments in 8-byte fields: the low bytes are the value.
    const bytes = Math.min(integer.bytes, field.bytes);
    const signed = integer.bytes <= field.bytes ? integer.signed : field.signed;
    return linked(integerSlot(PAL_SRC_FIELD, 0, bytes, signed ? PAL_SF_SIGNED : 0, [field.offset]));
  }
  if (arg.type !== 'string') return failed(wrongField(arg, context.hook, field));
  if (field.dataLocation) return linked(memorySlot(PAL_T_STRING, PAL_SRC_FIELD, 0, PAL_SF_DATALOC, [field.offset]));
  if (field.bytes === 8) {
    const flags = context.hook.target.startsWith('syscalls/') ? PAL_SF_USER : 0;
    return linked(memorySlot(PAL_T_STRING, PAL_SRC_FIELD, 0, flags, [field.offset]));
  }
  const slot = memorySlot(PAL_T_STRING, PAL_SRC_FIELD, 0, PAL_SF_FIELD_ARRAY, [field.offset]);
  return linked({ ...slot, maxBytes: Math.min(field.bytes, PAL_PATH_MAX) });
}

function integerSlot(source: number, register: number, width: number, flags: number, steps: readonly number[]): SlotFields {
  return { type: PAL_T_INT, source, register, flags, width, storage: 'scalar', maxBytes: 0, steps };
}

function memorySlot(type: number, source: number, register: number, flags: number, steps: readonly number[]): SlotFields {
  return { type, source, register, flags, width: 8, storage: 'memory', maxBytes: PAL_PATH_MAX, steps };
}

function memoryType(type: PlanArgType): number {
  return type === 'file' ? PAL_T_FILE : type === 'path' ? PAL_T_PATH : PAL_T_STRING;
}

function integerType(type: PlanArgType): { readonly bytes: number; readonly signed: boolean } | null {
  const match = INTEGER.exec(type);
  return match === null ? null : { bytes: Number(match[2]) / 8, signed: match[1] === '' };
}

/** An integer may be read from anything that fits a register; pointers must point to what the policy says, where the kernel tells. */
function fitsType(type: PlanArgType, actual: FunctionArg): boolean {
  if (integerType(type) !== null) return true;
  if (type === 'string') return actual.type === 'ptr' || actual.type === 'user-ptr';
  return actual.type === `struct:${type}` || actual.type === 'ptr';
}

function wrongField(arg: PlanArg, hook: PlanHook, field: TracepointField): { reason: 'TracepointFieldMissing'; message: string } {
  const shape = field.dataLocation ? 'text of variable length' : `${field.bytes} bytes`;
  return {
    reason: 'TracepointFieldMissing',
    message: `field ${arg.index} (${field.name}) of ${hook.target} is ${shape} in this kernel and cannot be read as ${arg.type}`,
  };
}
