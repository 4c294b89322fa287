/** Names of registers that can be read from and written to saved registers, as assemblers write them. */

const LEGACY = ['a', 'b', 'c', 'd'].flatMap((letter) => [`r${letter}x`, `e${letter}x`, `${letter}x`, `${letter}l`, `${letter}h`]);
const INDEX = ['si', 'di', 'bp', 'sp'].flatMap((name) => [`r${name}`, `e${name}`, name, `${name}l`]);
const NUMBERED = Array.from({ length: 8 }, (_, index) => `r${index + 8}`).flatMap((name) => [name, `${name}d`, `${name}w`, `${name}b`]);
const REST = ['rip', 'eip', 'ip', 'eflags', 'cs', 'ss', 'orig_rax'];

export const AMD64_REGISTERS: ReadonlySet<string> = new Set([...LEGACY, ...INDEX, ...NUMBERED, ...REST]);

const ARM64_NUMBERED = Array.from({ length: 31 }, (_, index) => [`x${index}`, `w${index}`]).flat();

export const ARM64_REGISTERS: ReadonlySet<string> = new Set([...ARM64_NUMBERED, 'sp', 'pc', 'pstate']);

/** Of both processors. */
export const REGISTERS: ReadonlySet<string> = new Set([...AMD64_REGISTERS, ...ARM64_REGISTERS]);

/** A register of one of the processors; which one a node has is for `bind` to ask. */
export function isRegister(name: string): boolean {
  return REGISTERS.has(name);
}
