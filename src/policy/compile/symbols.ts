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
