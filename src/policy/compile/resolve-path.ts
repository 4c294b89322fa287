import { LIMITS } from '../limits.ts';
import { didYouMean } from '../nearest.ts';
import { type ProblemSink, quote } from '../problem.ts';
import { REGISTERS, isRegister } from './registers.ts';

const STEP = /^(?:[A-Za-z_][A-Za-z0-9_]{0,126}|\[[0-9]{1,5}\])$/;

/** `mm.owner.comm`, `fdt.fd[3].f_path` (also `fd.[3]`): the steps of a plan. Empty after a problem. */
export function compileResolvePath(sink: ProblemSink, path: string, text: string): readonly string[] {
  const steps = text
    .replaceAll('[', '.[')
    .replaceAll('..[', '.[')
    .replace(/^\.\[/, '[')
    .split('.')
    .map((step) => (/^\[0+[0-9]/.test(step) ? step.replace(/^\[0+(?=[0-9])/, '[') : step));
  const wrong = steps.find((step) => !STEP.test(step) || (step.startsWith('[') && Number(step.slice(1, -1)) > LIMITS.maxArrayIndex));
  if (wrong !== undefined) {
    const message = wrong === '' ? `${quote(text)} has an empty step` : `${quote(wrong)} is neither a member nor an array index`;
    sink.error(
      'BadResolvePath',
      path,
      message,
      `for example "mm.owner.comm" or "fd[3].f_path"; array indices up to ${LIMITS.maxArrayIndex}`,
    );
    return [];
  }
  if (steps.length > LIMITS.resolveSteps) {
    sink.error('ResolveTooDeep', path, `${steps.length} steps`, `at most ${LIMITS.resolveSteps}`);
  }
  return steps;
}

/** The register that `resolve` of `source: pt_regs` names. */
export function compileRegisterName(sink: ProblemSink, path: string, text: string): readonly string[] {
  if (!isRegister(text)) {
    const hint = didYouMean(text, REGISTERS) ?? 'for example "rdi" (amd64) or "x0" (arm64)';
    sink.error('UnknownRegister', path, `no processor has a register ${quote(text)}`, hint);
  }
  return [text];
}
