import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readHeader } from './c-header.ts';
import { fnv1a64, generateLayout } from './generate-abi.ts';

describe('the generator of the ABI mirror', () => {
  it('computes the offsets that a C compiler would', () => {
    const header = readHeader('struct a { u8 x; u16 y[3]; u64 z; u8 t; };\nstruct b { struct a first; u32 n, m; char name[2][4]; };\n');
    expect(header.structs.get('a')).toMatchObject({ bytes: 24, align: 8 });
    expect(header.structs.get('a')?.fields.map((field) => field.offset)).toEqual([0, 2, 8, 16]);
    expect(header.structs.get('b')?.fields.map((field) => field.offset)).toEqual([0, 24, 28, 32]);
  });

  it('checks the assertions of the header and refuses a layout that breaks one', () => {
    expect(() => readHeader('struct a { u32 x; };\nPAL_ASSERT(sizeof(struct a) == 8);\n')).toThrow('computes 4');
  });

  it('refuses what it cannot read instead of guessing', () => {
    expect(() => readHeader('union a { u32 x; };\n')).toThrow('cannot read');
    expect(() => readHeader('struct a { u32 x : 3; };\n')).toThrow('unreadable field');
  });

  it('knows enumerators with and without value, and shifts', () => {
    const header = readHeader('#define A (1 << 3)\nenum e { X = A | 1, Y, Z };\n');
    expect([...header.constants]).toEqual([
      ['A', 8],
      ['X', 9],
      ['Y', 10],
      ['Z', 11],
    ]);
  });

  it('hashes by FNV-1a', () => {
    expect(fnv1a64(Buffer.from('foobar'))).toBe(0x85944171f73967e8n);
  });

  it('the committed mirror fits the header', () => {
    const header = readFileSync(new URL('../native/abi/palisade.h', import.meta.url));
    expect(readFileSync(new URL('../src/abi/layout.ts', import.meta.url), 'utf8')).toBe(generateLayout(header));
  });
});
