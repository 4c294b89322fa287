/**
 * Writes src/abi/layout.ts from native/abi/palisade.h. `--check` writes nothing and fails when the committed file differs.
 *
 * Run with `node scripts/generate-abi.ts [--check]`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CHeader, type CStruct, readHeader } from './c-header.ts';

const HEADER = fileURLToPath(new URL('../native/abi/palisade.h', import.meta.url));
const LAYOUT = fileURLToPath(new URL('../src/abi/layout.ts', import.meta.url));

/** FNV-1a, 64 bit: what agent and loader compare in HELLO. */
export function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash;
}

export function generateLayout(header: Buffer): string {
  const parsed: CHeader = readHeader(header.toString('utf8'));
  const constants = [...parsed.constants].map(([name, value]) => `export const ${name} = ${value};`);
  const structs = [...parsed.structs.values()].map(structText);
  return [
    '// Generated from native/abi/palisade.h by scripts/generate-abi.ts; do not edit.',
    '',
    "/** FNV-1a 64 of the header's bytes: agent and loader of different builds refuse each other. */",
    `export const ABI_HASH = 0x${fnv1a64(header).toString(16).padStart(16, '0')}n;`,
    '',
    ...constants,
    '',
    ...structs,
    '',
  ].join('\n');
}

function structText(struct: CStruct): string {
  const name = `${struct.name.replace(/^pal_/, '').toUpperCase()}_LAYOUT`;
  const fields = struct.fields.map((field) => `    ${field.name}: ${field.offset},`);
  return [`export const ${name} = {`, `  bytes: ${struct.bytes},`, '  at: {', ...fields, '  },', '} as const;'].join('\n');
}

function main(check: 'check' | 'write'): number {
  const wanted = generateLayout(readFileSync(HEADER));
  if (check === 'write') {
    writeFileSync(LAYOUT, wanted);
    return 0;
  }
  if (readFileSync(LAYOUT, 'utf8') === wanted) return 0;
  process.stderr.write('src/abi/layout.ts does not fit native/abi/palisade.h; run: node scripts/generate-abi.ts\n');
  return 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(process.argv.includes('--check') ? 'check' : 'write');
}
