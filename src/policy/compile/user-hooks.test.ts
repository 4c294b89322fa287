import { describe, expect, it } from 'vitest';
import { codesOf, compiled, policyObject } from '../testing/policies.ts';

const uprobe = (spec: object) => policyObject({ uprobes: [{ path: '/bin/bash', ...spec }] });
const hookOf = (object: object) => compiled(object).plan.hooks[0];
const SHA1 = 'a'.repeat(40);

describe('probes in programs', () => {
  it.each([
    ['symbols', { symbols: ['readline', 'main.(*T).Do+0x0010', 'a+16'] }, { symbols: ['readline', 'main.(*T).Do+0x10', 'a+0x10'] }],
    ['offsets', { offsets: [4096, 0] }, { offsets: ['4096', '0'] }],
    ['addresses', { addrs: [4_198_400] }, { addresses: ['4198400'] }],
    ['symbols with semaphores', { symbols: ['a', 'b'], refCtrOffsets: [0, 8] }, { symbols: ['a', 'b'], semaphores: ['0', '8'] }],
    ['types of the program', { symbols: ['a'], btfPath: '/usr/lib//debug/./a.btf' }, { symbols: ['a'], btfFile: '/usr/lib/debug/a.btf' }],
  ])('sit at %s', (_, spec, user) => {
    expect(hookOf(uprobe(spec))).toMatchObject({ kind: 'uprobe', target: '/bin/bash', user: { file: '/bin/bash', ...user } });
  });

  it('are one hook with many places', () => {
    expect(compiled(uprobe({ symbols: ['a', 'b', 'c'] })).plan.hooks).toHaveLength(1);
  });

  it('may be bound to digests of the file, of which one must fit', () => {
    const binaryDigests = [`sha256:${'B'.repeat(64)}`, `build-id:${SHA1}`, `sha1:${SHA1}`];
    const hook = hookOf(uprobe({ symbols: ['a'], binaryDigests, ignore: { digestVerificationFailure: true } }));
    expect(hook?.user?.digests).toEqual([`build-id:${SHA1}`, `sha1:${SHA1}`, `sha256:${'b'.repeat(64)}`]);
    expect(hook?.ignoreMissing).toBe(true);
  });

  it.each([
    ['nowhere', {}, 'ProbeAddressing'],
    ['at no symbol of an empty list', { symbols: [] }, 'ProbeAddressing'],
    ['with too few semaphores', { symbols: ['a', 'b'], refCtrOffsets: [1] }, 'ProbeAddressing'],
    ['at a symbol twice', { symbols: ['a', 'a+0'] }, 'RepeatedName'],
    ['at no symbol', { symbols: ['a b'] }, 'BadHookName'],
    ['at an offset that is none', { symbols: ['a+x'] }, 'BadHookName'],
    ['in no file', { path: 'bash', symbols: ['a'] }, 'BadFilePath'],
    ['in a folder', { path: '/bin/', symbols: ['a'] }, 'BadFilePath'],
    ['above itself', { path: '/bin/../a', symbols: ['a'] }, 'BadFilePath'],
    ['in a file of an unknown digest', { symbols: ['a'], binaryDigests: [`md5:${'a'.repeat(32)}`] }, 'BadDigest'],
    ['in a file of half a digest', { symbols: ['a'], binaryDigests: ['sha256:abc'] }, 'BadDigest'],
    ['in any file, whatever its digest', { symbols: ['a'], ignore: { digestVerificationFailure: true } }, 'UselessField'],
    [
      'with a socket that is returned',
      { symbols: ['a'], return: true, returnArg: { index: 0, type: 'int' }, returnArgAction: 'TrackSock' },
      'ActionNotPossible',
    ],
    ['with a struct that is described nowhere', { symbols: ['a'], args: [{ index: 0, type: 'int', resolve: 'a.b' }] }, 'MissingField'],
    [
      'with a struct whose description is missing',
      { symbols: ['a'], args: [{ index: 0, type: 'int', resolve: 'a.b', btfType: 't' }] },
      'MissingField',
    ],
    [
      'with a kernel module',
      { symbols: ['a'], btfPath: '/a', args: [{ index: 0, type: 'int', resolve: 'a.b', btfType: 't', btfTypeModule: 'm' }] },
      'BadTypeName',
    ],
  ])('cannot sit %s', (_, spec, code) => {
    expect(codesOf(uprobe(spec))).toEqual([code]);
  });

  it('read structs of the program and of the running task', () => {
    const hook = hookOf(
      uprobe({
        symbols: ['a'],
        btfPath: '/a.btf',
        args: [{ index: 0, resolve: 'name', btfType: 'request' }],
        data: [{ index: 0, type: 'file', source: 'current_task', resolve: 'mm.exe_file' }],
      }),
    );
    expect(hook?.args).toMatchObject([
      { type: 'auto', resolve: ['name'], btfType: 'request' },
      { type: 'file', from: 'current_task' },
    ]);
  });

  it('may be tracepoints that the program brings', () => {
    const usdt = { path: '/bin/a', provider: 'libc', name: 'setjmp', args: [{ index: 11, type: 'uint32' }] };
    expect(hookOf(policyObject({ usdts: [usdt] }))).toMatchObject({
      kind: 'usdt',
      section: 'usdts',
      target: '/bin/a',
      user: { file: '/bin/a', provider: 'libc', name: 'setjmp' },
    });
    expect(codesOf(policyObject({ usdts: [{ ...usdt, provider: 'a b' }] }))).toEqual(['BadHookName']);
    expect(codesOf(policyObject({ usdts: [{ ...usdt, args: [{ index: 12, type: 'int' }] }] }))).toEqual(['ArgIndexOutOfRange']);
  });

  it('belong to cluster policies only', () => {
    const spec = { uprobes: [{ path: '/bin/a', symbols: ['a'] }], usdts: [{ path: '/bin/a', provider: 'p', name: 'n' }] };
    expect(codesOf(policyObject(spec, 'TracingPolicyNamespaced'))).toEqual(['NotInNamespacedPolicy', 'NotInNamespacedPolicy']);
  });
});
