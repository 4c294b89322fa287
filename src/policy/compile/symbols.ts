import { LIMITS } from '../limits.ts';
import { type ProblemSink, quote } from '../problem.ts';

/** Functions may carry what compilers add: `foo.constprop.0`. */
const SYMBOL = /^[A-Za-z_][A-Za-z0-9_.]{0,126}$/;
const SYSCALL = /^(?:(x64|i386|arm64|arm32)\/)?(?:__(x64|arm64|ia32|arm32)_)?(sys_[a-z0-9_]{1,60})$/;

/** True for what can be the name of a kernel function. */
export function isSymbol(name: string): boolean {
  return SYMBOL.test(name);
}

/**
 * A system call as plans name it: `sys_dup` for this machine's own, `i386/sys_dup` for one of another ABI. Also reads what upstream
 * does: `__x64_sys_dup` and `__arm64_sys_dup` (this machine's own), `__ia32_sys_dup` and `i386/__ia32_sys_dup`. Undefined if it is none.
 */
export function parseSyscall(text: string): string | undefined {
  const match = SYSCALL.exec(text);
  const name = match?.[3];
  if (name === undefined) {
    return undefined;
  }
  const prefix = match?.[2];
  const byPrefix = prefix === 'ia32' ? 'i386' : prefix;
  const abi = match?.[1];
  if (abi !== undefined) {
    return byPrefix === undefined || byPrefix === abi ? `${abi}/${name}` : undefined;
  }
  return byPrefix === 'i386' || byPrefix === 'arm32' ? `${byPrefix}/${name}` : name;
}

/** Printable, without white space and "+": programs of Go and C++ name functions `main.(*T).Method` and `_ZN3foo3barEv`. */
const PROBE_SYMBOL = /^([\x21-\x2a\x2c-\x7e]+)(?:\+(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,19}))?$/;

/** `readline`, `main.main+0x10`: a symbol of a program, with the offset in hexadecimal. */
export function compileProbeSymbol(sink: ProblemSink, path: string, text: string): string {
  const [, name, offset] = PROBE_SYMBOL.exec(text) ?? [];
  if (name === undefined || text.length > LIMITS.symbolBytes) {
    sink.error('BadHookName', path, `${quote(text)} is no symbol of a program`, 'for example "readline" or "main.main+0x10"');
    return text;
  }
  const bytes = offset === undefined ? 0n : BigInt(offset);
  return bytes === 0n ? name : `${name}+0x${bytes.toString(16)}`;
}
