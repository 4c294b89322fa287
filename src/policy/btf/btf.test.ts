import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecorded } from '../testing/recorded-kernels.ts';
import { BtfError } from './btf-error.ts';
import { resolvePath } from './resolve.ts';
import { ID, SMALL_KERNEL, writeBtf } from './testing/btf-writer.ts';
import { openBtf, type Btf } from './type-index.ts';
import { findMember, intType, memberNames, parametersOf, sizeOf, typeText } from './types.ts';

const bytes = writeBtf(SMALL_KERNEL);
const small = openBtf(bytes);
const texts = (btf: Btf, name: string): string[] | undefined =>
  btf.prototypeOf(name)?.parameters.map((parameter) => `${typeText(btf.types, parameter.type)} ${parameter.name}`);

describe('The types of a kernel', () => {
  it('describe functions as C does', () => {
    expect(texts(small, 'security_file_open')).toEqual(['struct file * file', 'char * name']);
    expect(small.prototypeOf('no_such')).toBeUndefined();
    expect([...small.functionNames()]).toEqual(['security_file_open']);
  });

  it('know numbers by width and sign, and what has members or a size', () => {
    expect(intType(small.types, ID.int)).toEqual({ bytes: 4, signed: true });
    expect(intType(small.types, ID.file)).toBeUndefined();
    expect(sizeOf(small.types, ID.comm)).toBe(16);
    expect([...memberNames(small.types, ID.file)]).toEqual(['f_flags', 'f_path', 'comm', 'next']);
    expect(findMember(small.types, ID.file, 'comm')?.bitOffset).toBe(256);
  });

  it('are found behind other names', () => {
    expect(small.findType('file')).toBe(ID.file);
    expect(small.findType('file_t')).toBe(ID.fileTypedef);
    expect(small.findType('int')).toBeUndefined();
  });

  it('of a module stand on those of its kernel', () => {
    const own = writeBtf(
      [{ kind: 'struct', name: 'ovl', value: 8, members: [{ name: 'upper', type: ID.filePointer, bitOffset: 0 }] }],
      small.types.nameBytes,
    );
    const module = openBtf(own, small);
    const ovl = module.findType('ovl') ?? 0;
    expect(ovl).toBe(SMALL_KERNEL.length + 1);
    expect(resolvePath(module.types, ovl, ['upper', 'f_flags'])).toMatchObject({ ok: true, type: ID.int });
    expect(texts(module, 'security_file_open')).toEqual(['struct file * file', 'char * name']);
  });
});

describe('A path through structures', () => {
  it('reads a pointer where there is one, adds up where there is none, and looks into nameless structures', () => {
    expect(resolvePath(small.types, ID.file, ['f_path', 'dentry'])).toEqual({
      ok: true,
      steps: [{ offset: 16, dereference: false }],
      type: ID.text,
    });
    expect(resolvePath(small.types, ID.file, ['next', 'next', 'comm', '[3]'])).toEqual({
      ok: true,
      steps: [
        { offset: 56, dereference: true },
        { offset: 56, dereference: true },
        { offset: 35, dereference: false },
      ],
      type: ID.char,
    });
    expect(resolvePath(small.types, ID.file, ['[2]', 'f_flags'])).toMatchObject({ steps: [{ offset: 128, dereference: false }] });
  });

  it('that leads nowhere says at which step, and what is near', () => {
    const message = (path: readonly string[]) => {
      const found = resolvePath(small.types, ID.file, path);
      return found.ok ? '' : `${found.step}: ${found.message}`;
    };
    expect(message(['next', 'f_pth'])).toBe('1: struct file has no member "f_pth"; did you mean "f_path"?');
    expect(message(['f_flags', 'x'])).toBe('1: "x" is looked for in int, which has no members');
    expect(message(['comm', '[16]'])).toBe('1: char[16] has no element 16');
    expect(message(['f_flags', '[0]'])).toBe('1: int is no array');
  });

  it('may end in a bit-field, and not lead on from it', () => {
    const types = openBtf(
      writeBtf([
        ...SMALL_KERNEL,
        {
          kind: 'struct',
          name: 'bits',
          value: 4,
          flag: true,
          members: [
            { name: 'whole', type: ID.int, bitOffset: 0 },
            { name: 'three', type: ID.int, bitOffset: 11, bits: 3 },
          ],
        },
      ]),
    ).types;
    const at = SMALL_KERNEL.length + 1;
    expect(resolvePath(types, at, ['three'])).toMatchObject({
      steps: [{ offset: 1, dereference: false }],
      bitField: { shift: 3, bits: 3 },
    });
    expect(resolvePath(types, at, ['three', 'x'])).toMatchObject({ ok: false, step: 1 });
  });
});

describe('Type information that no kernel writes', () => {
  it.each([
    ['nothing', Buffer.alloc(0), '0 bytes'],
    ['another file', Buffer.alloc(64, 7), 'does not begin'],
    ['a cut file', bytes.subarray(0, 60), 'a part ends at byte'],
    ['a later version', Buffer.from(bytes).fill(2, 2, 3), 'version 2'],
    ['a kind that nobody knows', writeBtf([{ kind: 'int', name: 'x' }]).fill(99, 24 + 7, 24 + 8), 'kind 99'],
    ['a type that is cut off', writeBtf([{ kind: 'array' }]), 'cut off'],
  ])('is refused: %s', (_, wrong, message) => {
    expect(() => openBtf(wrong)).toThrow(BtfError);
    expect(() => openBtf(wrong)).toThrow(message);
  });

  it('may refer in circles, and ends in an error or in nothing', () => {
    const circle = openBtf(
      writeBtf([
        { kind: 'typedef', name: 'a', value: 2 },
        { kind: 'const', value: 1 },
        { kind: 'struct', name: 's', value: 8, members: Array.from({ length: 40 }, () => ({ name: '', type: 3, bitOffset: 0 })) },
        { kind: 'ptr', value: 4 },
        { kind: 'array', words: [5, 1, 4_000_000_000] },
      ]),
    );
    expect(() => resolvePath(circle.types, 1, ['x'])).toThrow(BtfError);
    expect(resolvePath(circle.types, 3, ['x'])).toMatchObject({ ok: false });
    expect(typeText(circle.types, 4)).toContain('…');
    expect(() => sizeOf(circle.types, 5)).toThrow(BtfError);
  });

  it('never does anything but work or throw a BtfError, wherever bytes are changed', () => {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(bytes.length), (changes, length) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) copy[at] = value;
        try {
          askEverything(openBtf(length % 4 === 0 ? copy.subarray(0, length) : copy));
        } catch (error) {
          expect(error).toBeInstanceOf(BtfError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

function askEverything(btf: Btf): void {
  const { types } = btf;
  for (const name of btf.functionNames()) btf.prototypeOf(name);
  btf.lsmHooks();
  btf.tracePrototypeOf('x');
  btf.enumValues('x');
  for (let id = 0; id < types.count; id += 1) {
    typeText(types, id);
    sizeOf(types, id);
    parametersOf(types, id);
    resolvePath(types, id, ['f_path', 'dentry']);
    resolvePath(types, id, ['[1]', 'comm']);
  }
}

describe('The types of the tested kernels', () => {
  const btf = readRecorded('7.x').catalogue?.types?.kernel;
  if (btf === undefined) throw new Error('no types');

  it('open in less than 300 ms, though they are 5 MB', () => {
    const from = performance.now();
    const again = openBtf(btf.bytes);
    const tookMs = performance.now() - from;
    expect(again.types.count).toBeGreaterThan(100_000);
    // 15 ms on a quiet machine.
    expect(tookMs).toBeLessThan(300);
  });

  it('say what hooks, functions, tracepoints and enumerations are', () => {
    expect(texts(btf, 'security_file_open')).toEqual(['struct file * file']);
    expect(btf.lsmHooks().has('bprm_check_security')).toBe(true);
    expect(btf.lsmPrototypeOf('file_open')?.parameters).toHaveLength(1);
    expect(btf.tracePrototypeOf('sched_process_exec')?.parameters.map(({ type }) => typeText(btf.types, type))).toEqual([
      'struct task_struct *',
      'pid_t',
      'struct linux_binprm *',
    ]);
    expect(btf.enumValues('bpf_cmd')?.get('BPF_PROG_LOAD')).toBe(5n);
  });

  it('lead through the task to what people look for', () => {
    const task = btf.findType('task_struct') ?? 0;
    for (const path of [
      'mm.owner.real_parent.comm',
      'cred.uid.val',
      'nsproxy.mnt_ns.ns.inum',
      'mm.exe_file.f_path.dentry.d_name.name',
      'fs.pwd.dentry',
    ]) {
      expect(resolvePath(btf.types, task, path.split('.')), path).toMatchObject({ ok: true });
    }
  });

  it('are readable in full', () => {
    for (let id = 0; id < btf.types.count; id += 1) typeText(btf.types, id);
  });
});
