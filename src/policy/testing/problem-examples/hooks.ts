import { type Examples, hook, onFile, onNumber, onProgram, pair, selector, times, warned } from './example.ts';

const listed = (lists: string, call = 'list:dups'): string => `lists:\n  - ${lists}\n${hook('kprobes', `call: ${call}`)}`;
const dups = '{ name: dups, type: syscalls, values: [sys_dup, sys_dup2] }';
const macros = (text: string, ...lines: readonly string[]): string => `selectorsMacros:\n  ${text}\n${onFile(...lines)}`;
const shells = 'shells: { matchBinaries: [{ operator: In, values: [/bin/sh] }] }';
const notify = onNumber('matchActions: [{ action: NotifyEnforcer, argError: -1 }]');
const value = (fields: string): string => hook('kprobes', 'call: security_file_open', 'syscall: false', `args: [{ index: 0, ${fields} }]`);

/** What is wrong with hooks, the values that they read, lists, macros, enforcers and probes in programs. */
export const HOOK_EXAMPLES = {
  BadHookName: pair(hook('lsmhooks', 'hook: security_file_open'), hook('lsmhooks', 'hook: file_open')),
  NotASyscall: pair(hook('kprobes', 'call: tcp_connect'), hook('kprobes', 'call: tcp_connect', 'syscall: false')),
  ASyscall: pair(
    hook('kprobes', 'call: __x64_sys_dup', 'syscall: false', 'args: [{ index: 0, type: int }]'),
    hook('kprobes', 'call: sys_dup', 'args: [{ index: 0, type: int }]'),
  ),
  ArgIndexOutOfRange: pair(
    hook('lsmhooks', 'hook: file_open', 'args: [{ index: 6, type: file }]'),
    hook('lsmhooks', 'hook: file_open', 'args: [{ index: 0, type: file }]'),
  ),
  TypeNotUsable: pair(value('label: file'), value('type: file, label: file')),
  UselessField: pair(value('type: int, sizeArgIndex: 2'), value('type: int')),
  BadResolvePath: pair(value('type: uint32, resolve: f_path..dentry'), value('type: uint32, resolve: f_flags')),
  ResolveTooDeep: pair(value('type: string, resolve: a.b.c.d.e.f.g.h.i.j.k'), value('type: string, resolve: f_path.dentry.d_name.name')),
  UnknownRegister: pair(
    hook('kprobes', 'call: sys_dup', 'data: [{ index: 0, type: uint64, source: pt_regs, resolve: rdj }]'),
    hook('kprobes', 'call: sys_dup', 'data: [{ index: 0, type: uint64, source: pt_regs, resolve: rdi }]'),
  ),
  BadTypeName: pair(value('type: uint32, resolve: f_flags, btfType: struct file'), value('type: uint32, resolve: f_flags, btfType: file')),
  TextTooShort: pair(hook('lsmhooks', 'hook: file_open', 'message: x'), hook('lsmhooks', 'hook: file_open', 'message: a file was opened')),
  TextTruncated: warned(
    hook('lsmhooks', 'hook: file_open', `message: ${'very '.repeat(60)}long`),
    hook('lsmhooks', 'hook: file_open', 'message: very long'),
  ),
  TooManySelectors: pair(
    hook('lsmhooks', 'hook: file_open', 'selectors:', ...times(65, (at) => `  - matchPIDs: [{ operator: In, values: [${at + 1}] }]`)),
    hook('lsmhooks', 'hook: file_open', 'selectors:', '  - matchPIDs: [{ operator: In, values: [1, 2, 3] }]'),
  ),
  TooManySlots: pair(
    hook('lsmhooks', 'hook: file_open', 'args:', ...times(17, () => '  - { index: 0, type: file }')),
    hook('lsmhooks', 'hook: file_open', 'args:', '  - { index: 0, type: file }'),
  ),
  TooManyHooks: pair(
    `kprobes:\n${times(1_025, (at) => `  - { call: function_${at}, syscall: false }\n`).join('')}`,
    'kprobes:\n  - { call: function_0, syscall: false }\n',
  ),
  PlanTooLarge: pair(
    onFile(`matchArgs: [{ index: 0, operator: Equal, values: [${times(50_000, (at) => `/${'d'.repeat(90)}/${at}`).join(', ')}] }]`),
    onFile('matchArgs: [{ index: 0, operator: Prefix, values: [/data/] }]'),
  ),
  UnknownList: pair(listed(dups, 'list:dub'), listed(dups)),
  RepeatedName: pair(listed(`${dups}\n  - { name: dups, type: syscalls, values: [sys_dup3] }`), listed(dups)),
  BadList: pair(
    listed('{ name: dups, type: generated_syscalls, values: [sys_dup] }'),
    listed('{ name: dups, type: syscalls, values: [sys_dup] }'),
  ),
  BadPattern: pair(
    listed('{ name: dups, type: generated_ftrace, pattern: "^(sys" }'),
    listed('{ name: dups, type: generated_ftrace, pattern: "^ksys" }'),
  ),
  Unused: warned(`lists:\n  - ${dups}\n${hook('kprobes', 'call: sys_dup')}`, listed(dups)),
  BadMacro: pair(macros('shells: { macros: [others] }', 'macros: [shells]'), macros(shells, 'macros: [shells]')),
  UnknownMacro: pair(macros(shells, 'macros: [shell]'), macros(shells, 'macros: [shells]')),
  RepeatedBlock: pair(
    macros(shells, 'macros: [shells]', 'matchBinaries: [{ operator: NotIn, values: [/bin/bash] }]'),
    macros(shells, 'macros: [shells]'),
  ),
  NoEnforcer: pair(notify, `enforcers: [{ calls: [sys_setuid] }]\n${notify}`),
  TooManyEnforcers: pair(
    `enforcers: [{ calls: [sys_setuid] }, { calls: [sys_setgid] }]\n${notify}`,
    `enforcers: [{ calls: [sys_setuid, sys_setgid] }]\n${notify}`,
  ),
  EnforcerConflict: pair(
    `options: [{ name: override-method, value: override-return }]\nenforcers: [{ calls: [security_file_open] }]\n${notify}`,
    `options: [{ name: override-method, value: fmod-ret }]\nenforcers: [{ calls: [security_file_open] }]\n${notify}`,
  ),
  ReturnNotWatched: pair(
    hook('kprobes', 'call: sys_dup', ...selector('matchReturnArgs: [{ index: 0, operator: LT, values: ["0"] }]')),
    hook(
      'kprobes',
      'call: sys_dup',
      'return: true',
      'returnArg: { index: 0, type: int }',
      ...selector('matchReturnArgs: [{ index: 0, operator: LT, values: ["0"] }]'),
    ),
  ),
  ProbeAddressing: pair(onProgram('message: read a line'), onProgram('message: read a line', 'symbols: [readline]')),
  BadFilePath: pair(hook('uprobes', 'path: bash', 'symbols: [readline]'), hook('uprobes', 'path: /usr/bin/bash', 'symbols: [readline]')),
  BadDigest: pair(
    onProgram('symbols: [readline]', 'binaryDigests: ["sha256:abcd"]'),
    onProgram('symbols: [readline]', `binaryDigests: ["sha256:${'0123456789abcdef'.repeat(4)}"]`),
  ),
} satisfies Examples;
