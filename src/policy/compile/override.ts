import { parseInteger } from '../integers.ts';
import { LIMITS } from '../limits.ts';
import type { PlanAction } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ActionSpec } from '../schema/actions.ts';
import { isRegister } from './registers.ts';
import { compileProbeSymbol } from './symbols.ts';

/** Override on a call of the kernel: it returns an error instead of running. */
export function compileDeny(sink: ProblemSink, path: string, spec: ActionSpec): PlanAction | undefined {
  for (const field of ['argRegs', 'argNewSymbol', 'argNewAddr', 'argNewOffset'] as const) {
    if (spec[field] !== undefined) {
      sink.error('UselessField', fieldPath(path, field), 'is for Override on uprobes only');
    }
  }
  const at = fieldPath(path, 'argError');
  if (spec.argError === undefined) {
    sink.error('OverrideWithoutError', at, 'Override needs argError', 'for example "argError: -1" (EPERM)');
    return undefined;
  }
  return isErrno(sink, at, spec.argError) ? { type: 'override', errno: spec.argError } : undefined;
}

export function isErrno(sink: ProblemSink, path: string, errno: number): boolean {
  if (errno < 0 && errno >= -LIMITS.maxErrno) {
    return true;
  }
  const hint = `from -${LIMITS.maxErrno} to -1, for example -1 (EPERM)`;
  sink.error('OverrideErrorOutOfRange', path, `${errno} is no error number`, hint);
  return false;
}

/** Override on a function of a program: it returns at once, continues with other registers, or another function runs. */
export function compileUserOverride(sink: ProblemSink, path: string, spec: ActionSpec): PlanAction | undefined {
  const ways = (['argError', 'argRegs', 'argNewSymbol', 'argNewAddr', 'argNewOffset'] as const).filter((field) => {
    const value = spec[field];
    return value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
  });
  const [way, other] = ways;
  if (way === undefined) {
    const hint = 'argError, argRegs, argNewSymbol, argNewAddr or argNewOffset';
    sink.error('OverrideWithoutError', fieldPath(path, 'argError'), 'Override needs to know what shall happen instead', hint);
    return undefined;
  }
  if (other !== undefined) {
    sink.error('UselessField', fieldPath(path, other), `cannot be had together with ${way}`);
    return undefined;
  }
  switch (way) {
    case 'argError':
      return { type: 'override', errno: spec.argError ?? 0 };
    case 'argRegs':
      return { type: 'set_registers', registers: compileRegisters(sink, fieldPath(path, way), spec.argRegs ?? []) };
    case 'argNewSymbol':
      return { type: 'redirect', to: 'symbol', target: compileProbeSymbol(sink, fieldPath(path, way), spec.argNewSymbol ?? '') };
    case 'argNewAddr':
      return { type: 'redirect', to: 'address', target: String(spec.argNewAddr) };
    case 'argNewOffset':
      return { type: 'redirect', to: 'offset', target: String(spec.argNewOffset) };
  }
}

const ASSIGNMENT = /^([a-z0-9_]+)=(?:(-?[0-9a-zA-Z]+))?(?:(%)([a-z0-9_]+)|\(%([a-z0-9_]+)\))?$/;

/** `rax=11`, `rbp=%rsp`, `rip=8%rsp`, `rbp=(%rsp)`, `rsp=8(%rsp)`: numbers in decimal, an offset of 0 left out. In spec order. */
function compileRegisters(sink: ProblemSink, path: string, texts: readonly string[]): readonly string[] {
  if (texts.length > LIMITS.registersPerAction) {
    sink.error('TooManyRegisters', path, `${texts.length} registers`, `at most ${LIMITS.registersPerAction}`);
  }
  const seen = new Set<string>();
  return texts.map((text, index) => {
    const at = fieldPath(path, index);
    const assignment = parseAssignment(text);
    if (assignment === undefined) {
      const hint = 'for example "rax=11", "rbp=%rsp", "rip=8%rsp", "rbp=(%rsp)" or "rsp=8(%rsp)"';
      sink.error('BadRegister', at, `${quote(text)} is no assignment to a register`, hint);
      return text;
    }
    if (seen.has(assignment.register)) {
      sink.error('RepeatedName', at, `${assignment.register} is set twice`);
    }
    seen.add(assignment.register);
    return assignment.text;
  });
}

const INT64_MIN = -(1n << 63n);
const UINT64_MAX = (1n << 64n) - 1n;

function parseAssignment(text: string): { readonly register: string; readonly text: string } | undefined {
  const [, register, number, , plain, memory] = ASSIGNMENT.exec(text.toLowerCase()) ?? [];
  const source = plain ?? memory;
  const value = number === undefined ? 0n : parseInteger(number);
  const areKnown = register !== undefined && isRegister(register) && (source === undefined || isRegister(source));
  if (!areKnown || value === undefined || value < INT64_MIN || value > UINT64_MAX || (source === undefined && number === undefined)) {
    return undefined;
  }
  if (source === undefined) {
    return { register, text: `${register}=${value}` };
  }
  const offset = value === 0n ? '' : String(value);
  return { register, text: `${register}=${offset}${plain === undefined ? `(%${source})` : `%${source}`}` };
}
