/** What is known about functions, LSM hooks, tracepoints and members of structs of a kernel. Hostile input: bounded, checked. */
import type { PlanArg, PlanHook } from '../policy/plan.ts';

export type Prototype =
  | { readonly kind: 'function'; readonly args: readonly FunctionArg[] }
  | { readonly kind: 'tracepoint'; readonly fields: readonly TracepointField[] }
  | MemberPrototype;

/** Where a path of members leads (`resolve`). */
export type MemberPrototype = {
  readonly kind: 'member';
  /** Offsets as in `pal_slot.step`. */
  readonly steps: readonly number[];
  readonly bytes: number;
  readonly signed: boolean;
  /** As in `FunctionArg`. */
  readonly type: string;
};

export type FunctionArg = {
  readonly index: number;
  readonly bytes: number;
  readonly signed: boolean;
  /** `int`, `ptr`, `user-ptr`, `struct:NAME` (a pointer to it) or `value` (a structure by value). */
  readonly type: string;
};

export type TracepointField = {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly signed: boolean;
  readonly dataLocation: boolean;
};

/** By query text; null: the kernel has no such thing. */
export type Prototypes = ReadonlyMap<string, Prototype | null>;

const MAX_LINES = 128;

/** What to ask about an argument's `resolve`; null: it has none. */
export function memberQuery(arg: PlanArg, hook: PlanHook): string | null {
  if (arg.resolve === undefined && arg.from !== 'current_task' && arg.from !== 'pt_regs') return null;
  const origin =
    arg.from === 'current_task'
      ? 'task'
      : arg.from === 'pt_regs'
        ? 'register'
        : arg.btfType === undefined
          ? `${hook.kind}:${hook.target}#${arg.from === 'return' ? 'return' : arg.index}`
          : `struct:${arg.btfType}${arg.btfModule === undefined ? '' : `@${arg.btfModule}`}`;
  return `member ${origin} ${(arg.resolve ?? []).join('.')}`;
}

/** Null when the answer is empty (nothing found). Lines that are not of the contract's form are an error of the loader: thrown. */
export function readPrototype(query: string, answer: string): Prototype | null {
  const lines = answer.split('\n').filter((line) => line !== '');
  if (lines.length > MAX_LINES) throw new Error(`the loader describes ${query} in ${lines.length} lines; at most ${MAX_LINES} are right`);
  if (query.startsWith('tracepoint:')) {
    return lines.length === 0 ? null : { kind: 'tracepoint', fields: lines.map((line) => readField(query, line)) };
  }
  return answer === '' ? null : { kind: 'function', args: lines.map((line) => readArg(query, line)) };
}

function readField(query: string, line: string): TracepointField {
  const [name, offset, bytes, signed, dataLocation, ...more] = line.split(' ');
  if (name === undefined || name === '' || dataLocation === undefined || more.length > 0) throw unreadable(query);
  return {
    name,
    offset: number(query, offset, 65_535),
    bytes: number(query, bytes, 65_535),
    signed: number(query, signed, 1) === 1,
    dataLocation: number(query, dataLocation, 1) === 1,
  };
}

function readArg(query: string, line: string): FunctionArg {
  const [index, bytes, signed, type, ...more] = line.split(' ');
  if (type === undefined || !/^(int|ptr|user-ptr|value|struct:\w{1,128})$/.test(type) || more.length > 0) throw unreadable(query);
  return { index: number(query, index, 63), bytes: number(query, bytes, 65_535), signed: number(query, signed, 1) === 1, type };
}

function number(query: string, text: string | undefined, max: number): number {
  if (text === undefined || !/^\d{1,6}$/.test(text) || Number(text) > max) throw unreadable(query);
  return Number(text);
}

function unreadable(query: string): Error {
  return new Error(`the loader's description of ${query} is not of the agreed form`);
}
