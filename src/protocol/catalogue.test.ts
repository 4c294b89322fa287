import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  catalogueFrameSchema,
  decodeNamesFrame,
  encodeNamesFrame,
  MAX_NAMES_BYTES,
  packKernelNames,
  subscribeSchema,
  unpackKernelNames,
} from './catalogue.ts';

const BUILD = 'ab'.repeat(32);
const NAMES = { functions: ['security_file_open'], lsmHooks: ['file_open'], tracepoints: ['sched/sched_process_exec'] };

test('names come out as they went in', () => {
  expect(decodeNamesFrame(encodeNamesFrame(BUILD, packKernelNames(NAMES)))).toEqual({ build: BUILD, names: NAMES });
});

test('names of 130,000 functions take less than half a megabyte', () => {
  const functions = Array.from({ length: 130_000 }, (_, index) => `some_kernel_function_${index}`);
  expect(packKernelNames({ ...NAMES, functions }).length).toBeLessThan(512 * 1024);
});

test('a bomb of zeros is refused before it is unpacked', () => {
  expect(() => unpackKernelNames(zstdCompressSync(Buffer.alloc(MAX_NAMES_BYTES + 1)))).toThrow();
});

test('garbage is refused', () => {
  expect(() => unpackKernelNames(Buffer.from('garbage'))).toThrow();
  expect(() => unpackKernelNames(zstdCompressSync(Buffer.from('{"functions":[1]}')))).toThrow();
  expect(() => decodeNamesFrame(Buffer.alloc(32))).toThrow('32 bytes');
});

test('a node says where it stands', () => {
  const node = { name: 'n1', labels: { 'kubernetes.io/os': 'linux' }, build: BUILD, silentMs: 0 };
  expect(catalogueFrameSchema.parse({ t: 'nodes', put: [node] })).toEqual({ t: 'nodes', full: false, put: [node], gone: [] });
  expect(catalogueFrameSchema.safeParse({ t: 'nodes', put: [{ ...node, build: 'short' }] }).success).toBe(false);
});

test('fields that a newer hub adds are ignored, frames that nobody knows are refused', () => {
  expect(catalogueFrameSchema.safeParse({ t: 'alive', mood: 'fine' }).success).toBe(true);
  expect(catalogueFrameSchema.safeParse({ t: 'gossip' }).success).toBe(false);
});

test('a subscription names its protocol range', () => {
  expect(subscribeSchema.safeParse({ t: 'subscribe', protocol: { min: 1, max: 1 }, have: [BUILD] }).success).toBe(true);
  expect(subscribeSchema.safeParse({ t: 'subscribe', have: [] }).success).toBe(false);
});
