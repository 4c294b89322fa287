/** Names of registers in `source: pt_regs`, by architecture. */
const REGISTERS: Readonly<Record<string, RegExp>> = {
  x86_64: /^(?:[re]?(?:ip|[abcd]x|si|di|bp|sp)|[abcd][lh]|(?:si|di|bp|sp)l|r(?:8|9|1[0-5])[dwb]?)$/,
  aarch64: /^(?:[xw](?:[12]?\d|30)|sp|pc)$/,
};

export function isRegister(name: string, arch: string): boolean {
  return REGISTERS[arch]?.test(name) ?? true;
}
