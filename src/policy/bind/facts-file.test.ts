import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SMALL_KERNEL, writeBtf } from '../btf/testing/btf-writer.ts';
import { RECORDED, readRecorded } from '../testing/recorded-kernels.ts';
import { KernelFileError, packKernelFile, readKernelFile } from './facts-file.ts';
import { readTracepointField } from './tracepoint-format.ts';

const types = writeBtf(SMALL_KERNEL);
const header = {
  palisade: 'kernel',
  format: 1,
  facts: ['release=6.1.0', 'arch=x86_64', 'lsm=capability,bpf', 'preempt=voluntary', 'btf=true', 'flavour=new'],
  config: ['CONFIG_BPF_LSM=y', 'CONFIG_LSM="yama,bpf"'],
  unprobeable: ['hidden'],
  errorInjectable: ['__x64_sys_open'],
  tracepoints: { 'sched/sched_switch': ['unsigned short common_type;0;2;0', 'char prev_comm[16];8;16;0', 'not a field'] },
  btf: [['vmlinux', types.length]],
};
const plain = (change: object = {}): Buffer => Buffer.concat([Buffer.from(`${JSON.stringify({ ...header, ...change })}\n`), types]);

describe('A recorded kernel', () => {
  it('is read as the loader writes it, and packed', () => {
    for (const file of [plain(), packKernelFile(plain())]) {
      const kernel = readKernelFile(file);
      expect(kernel).toMatchObject({
        release: '6.1.0',
        lsm: ['capability', 'bpf'],
        preempt: 'voluntary',
        facts: { btf: true, flavour: 'new' },
        config: { CONFIG_LSM: '"yama,bpf"' },
      });
      expect([...(kernel.catalogue?.functions ?? [])]).toEqual(['security_file_open']);
      expect(kernel.catalogue?.formatOf?.('sched/sched_switch')?.map((field) => field.name)).toEqual(['common_type', 'prev_comm']);
      expect(kernel.catalogue?.formatOf?.('toString')).toBeUndefined();
      expect(kernel.catalogue?.types?.module('overlay')).toBe('unknown');
    }
  });

  it('has functions without those that no probe may be put on', () => {
    expect(readKernelFile(plain({ unprobeable: ['security_file_open'] })).catalogue?.functions.size).toBe(0);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'a line of JSON'],
    ['some text', Buffer.from('hello\nworld'), 'a line of JSON'],
    ['a later form', plain({ format: 2 }), 'format'],
    ['a wrong fact', plain({ tracepoints: { x: [1] } }), 'tracepoints'],
    ['types that are missing', plain({ btf: [['vmlinux', types.length + 1]] }), 'the header says'],
    ['types that nobody asked for', plain({ btf: [['vmlinux', types.length - 4]] }), 'the header says'],
    ['damaged packing', packKernelFile(plain()).fill(7, 20, 40), 'damaged'],
    ['a bomb', zstdCompressSync(Buffer.alloc(200 << 20)), 'larger than any kernel'],
  ])('of another form is refused in words: %s', (_, file, message) => {
    expect(() => readKernelFile(file)).toThrow(KernelFileError);
    expect(() => readKernelFile(file)).toThrow(message);
  });

  it('that was changed anywhere is read or refused, and nothing else', () => {
    const file = plain();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const copy = Buffer.from(file);
        for (const [at, value] of changes) copy[at] = value;
        try {
          readKernelFile(copy);
        } catch (error) {
          expect(error).toBeInstanceOf(KernelFileError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('Fields of tracepoints', () => {
  it.each([
    ['const char * filename;16;8;0', { name: 'filename', offset: 16, bytes: 8, signed: false, dataLocation: false }],
    ['__data_loc char[] name;8;4;1', { name: 'name', dataLocation: true, signed: true }],
    ['unsigned long args[6];16;48;0', { name: 'args', bytes: 48 }],
  ])('%s', (line, field) => {
    expect(readTracepointField(line)).toMatchObject(field);
  });
});

describe('The kernels of facts/', () => {
  it.each(RECORDED)('%s says what a policy needs to know', (name) => {
    const { release, preempt, facts, catalogue, config } = readRecorded(name);
    expect(release).toMatch(name === '7.x' ? /^7\./ : new RegExp(`^${name.replace('.', '\\.')}\\.`));
    expect(preempt).toBe(name === '7.x' ? 'lazy' : 'voluntary');
    expect(facts).toMatchObject({ btf: true, bpf_lsm: true, kprobe: true, tracepoint: true });
    expect(config?.['CONFIG_BPF_LSM']).toBe('y');
    expect(catalogue?.functions.size).toBeGreaterThan(30_000);
    expect(catalogue?.tracepoints.size).toBeGreaterThan(1_000);
    expect(catalogue?.lsmHooks.size).toBeGreaterThan(200);
  });
});
