import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import { writeBtf } from '../btf/testing/btf-writer.ts';
import { openBtf, type Btf } from '../btf/type-index.ts';
import type { PlanHook } from '../plan.ts';
import { RECORDED, readRecorded } from '../testing/recorded-kernels.ts';
import { bound } from './testing/bound.ts';
import { arg, filtering, hookOn, planOf } from './testing/plans.ts';

describe('Arguments', () => {
  it.each<[string, PlanHook, string, string]>([
    [
      'beyond the last one are refused with what the function takes',
      hookOn('lsm:file_open', { args: [arg(1, 'int32')] }),
      'ArgIndexOutOfRange at spec.lsmhooks[0].args[0].index',
      'file_open(struct file *file) has 1 argument in this kernel; there is no argument 1',
    ],
    [
      'of system calls are counted as well',
      hookOn('kprobe:sys_openat', { args: [arg(1, 'string'), arg(4, 'int32')] }),
      'ArgIndexOutOfRange at spec.kprobes[0].args[1].index',
      'sys_openat(int dfd, const char * filename, int flags, umode_t mode) has 4 arguments in this kernel; there is no argument 4',
    ],
    [
      'that point to something else are refused',
      hookOn('kprobe:tcp_connect', { args: [arg(0, 'file')] }),
      'BtfTypeMismatch at spec.kprobes[0].args[0].type',
      'argument 0 of tcp_connect is struct sock * in this kernel and cannot be read as file',
    ],
    [
      'that are numbers are no texts',
      hookOn('kprobe:sys_openat', { args: [arg(0, 'string')] }),
      'BtfTypeMismatch at spec.kprobes[0].args[0].type',
      'argument 0 of sys_openat is int dfd in this kernel and cannot be read as string',
    ],
    [
      'of a tracepoint are fields of its format',
      hookOn('tracepoint:sched/sched_process_exec', { args: [arg(7, 'int32')] }),
      'TracepointFieldMissing at spec.tracepoints[0].args[0].index',
      'sched/sched_process_exec has the fields 0 to 6 in this kernel; there is no field 7',
    ],
    [
      'of a tracepoint are what the format says',
      hookOn('tracepoint:sched/sched_process_exec', { args: [arg(4, 'int32')] }),
      'TracepointFieldMissing at spec.tracepoints[0].args[0].type',
      'field 4 of sched/sched_process_exec is __data_loc char[] filename in this kernel and cannot be read as int32',
    ],
    [
      'of a raw tracepoint are those of its program',
      hookOn('raw_tracepoint:sched/sched_process_exec', { args: [arg(3, 'uint64')] }),
      'ArgIndexOutOfRange at spec.tracepoints[0].args[0].index',
      'has 3 arguments in this kernel; there is no argument 3',
    ],
    [
      'that hold a size are there, too',
      hookOn('kprobe:vfs_read', { args: [arg(1, 'char_buf', { sizeIndex: 9 })] }),
      'ArgIndexOutOfRange at spec.kprobes[0].args[0].sizeArgIndex',
      'vfs_read has 4 arguments in this kernel; there is no argument 9',
    ],
    [
      'have the members that resolve names',
      hookOn('lsm:file_open', { args: [arg(0, 'string', { resolve: ['f_path', 'dentry', 'd_nam'] })] }),
      'ResolvePathNotFound at spec.lsmhooks[0].args[0].resolve',
      'f_path.dentry.d_nam: struct dentry has no member "d_nam"; did you mean "d_name"?',
    ],
    [
      'at the end of resolve are what the policy says',
      hookOn('lsm:file_open', { args: [arg(0, 'sock', { resolve: ['f_path', 'dentry'] })] }),
      'BtfTypeMismatch at spec.lsmhooks[0].args[0].type',
      'f_path.dentry is struct dentry * in this kernel and cannot be read as sock',
    ],
    [
      'of system calls have members only with btfType',
      hookOn('kprobe:sys_bpf', { args: [arg(1, 'uint32', { resolve: ['map_type'] })] }),
      'ResolvePathNotFound at spec.kprobes[0].args[0].resolve',
      'argument 1 of sys_bpf is union bpf_attr * uattr, which has no members; "btfType" says what it stands for',
    ],
    [
      'are taken for types that the kernel has',
      hookOn('kprobe:vfs_read', { args: [arg(1, 'uint64', { resolve: ['x'], btfType: 'task_strct' })] }),
      'ResolvePathNotFound at spec.kprobes[0].args[0].btfType',
      'this kernel has no type "task_strct"; did you mean "task_struct"?',
    ],
    [
      'of the task are found without an argument',
      hookOn('kprobe:vfs_read', { args: [arg(0, 'string', { from: 'current_task', resolve: ['mm', 'ownr', 'comm'] })] }),
      'ResolvePathNotFound at spec.kprobes[0].data[0].resolve',
      'mm.ownr.comm: struct mm_struct has no member "ownr"; did you mean "owner"?',
    ],
    [
      'in registers are in registers of this machine',
      hookOn('kprobe:vfs_read', { args: [arg(0, 'uint64', { from: 'pt_regs', resolve: ['x30'] })] }),
      'ResolvePathNotFound at spec.kprobes[0].data[0].resolve',
      '"x30" is no register of x86_64',
    ],
    [
      'that a function returns are there',
      hookOn('kprobe:tcp_close', { returns: true, args: [arg(0, 'int32', { from: 'return' })] }),
      'BtfTypeMismatch at spec.kprobes[0].returnArg.type',
      'tcp_close returns void in this kernel and cannot be read as int32',
    ],
    [
      'of no given type are compared as what they are',
      hookOn('lsm:file_open', {
        args: [arg(0, 'auto', { resolve: ['f_flags'] })],
        ...filtering({ on: 'bytes', arg: 0, operator: 'Equal', values: ['x'] }),
      }),
      'BtfTypeMismatch at spec.selectors[0].matchArgs',
      'argument 0 is unsigned int in this kernel, and a filter compares it as a text',
    ],
  ])('%s', (_, hook, reason, message) => {
    const { failure } = bound(hook);
    expect(`${failure?.reason} at ${failure?.field}`).toBe(reason);
    expect(failure?.message).toContain(message);
  });

  it('of another width are read, and that is told', () => {
    const { failure, notes } = bound(hookOn('kprobe:vfs_read', { args: [arg(2, 'int32')] }));
    expect(failure).toBeNull();
    expect(notes).toEqual([
      {
        reason: 'BtfTypeMismatch',
        field: 'spec.kprobes[0].args[0].type',
        message: 'argument 2 of vfs_read is size_t: it has 8 bytes and int32 has 4',
      },
    ]);
  });

  it('of a module are looked for in that module, if it is known whether it is loaded', () => {
    const hook = hookOn('kprobe:vfs_read', {
      args: [arg(0, 'uint64', { resolve: ['upper'], btfType: 'ovl_entry', btfModule: 'overlay' })],
    });
    const recorded = readRecorded('6.12');
    const { catalogue } = recorded;
    if (catalogue?.types === undefined) throw new Error('no types');
    const own = writeBtf(
      [
        {
          kind: 'struct',
          name: 'ovl_entry',
          value: 8,
          members: [{ name: 'numlower', type: catalogue.types.kernel.findType('size_t') ?? 0, bitOffset: 0 }],
        },
      ],
      catalogue.types.kernel.types.nameBytes,
    );
    const loaded = openBtf(own, catalogue.types.kernel);
    const answer = (module: Btf | 'missing' | 'unknown') => {
      const types = { kernel: loaded, module: () => module };
      const { functions, lsmHooks, tracepoints } = catalogue;
      return bind(planOf(hook), { ...recorded, catalogue: { functions, lsmHooks, tracepoints, types } }, 'enforce')[0]?.failure;
    };
    expect(answer('missing')).toMatchObject({ reason: 'ModuleNotLoaded', field: 'spec.kprobes[0].args[0].btfTypeModule' });
    expect(answer('unknown')?.reason).toBe('NotInEngine');
    expect(answer(loaded)?.message).toContain('struct ovl_entry has no member "upper"');
  });

  it('are right where they are right, on every kernel', () => {
    const hooks = [
      hookOn('lsm:file_open', { args: [arg(0, 'file')] }),
      hookOn('kprobe:security_mmap_file', { args: [arg(0, 'file'), arg(1, 'uint64')] }),
      hookOn('lsm:bprm_check_security', { args: [arg(0, 'string', { resolve: ['filename'] })] }),
      hookOn('lsm:path_mknod', { args: [arg(0, 'path'), arg(1, 'dentry')] }),
      hookOn('kprobe:tcp_connect', { args: [arg(0, 'sock'), arg(0, 'uint16', { resolve: ['__sk_common', 'skc_dport'] })] }),
      hookOn('kprobe:commit_creds', { args: [arg(0, 'cred'), arg(0, 'cap_effective')] }),
      hookOn('kprobe:sys_connect', { args: [arg(0, 'fd'), arg(1, 'sockaddr'), arg(2, 'int32')] }),
      hookOn('kprobe:sys_write', { args: [arg(0, 'int32'), arg(1, 'char_buf', { sizeIndex: 2 }), arg(2, 'uint64')] }),
      hookOn('kprobe:sys_execve', { args: [arg(0, 'string')] }),
      hookOn('tracepoint:sched/sched_process_exec', { args: [arg(4, 'string'), arg(5, 'int32'), arg(5, 'auto')] }),
      hookOn('raw_tracepoint:sched/sched_process_exec', { args: [arg(0, 'string', { resolve: ['comm'] }), arg(2, 'linux_binprm')] }),
      hookOn('kprobe:vfs_read', { args: [arg(0, 'string', { from: 'current_task', resolve: ['mm', 'owner', 'real_parent', 'comm'] })] }),
    ];
    for (const hook of hooks) {
      for (const name of RECORDED) {
        const { failure } = bound(hook, name);
        expect(failure === null ? 'NotInEngine' : failure.reason, `${hook.target} on ${name}: ${failure?.message ?? ''}`).toBe(
          'NotInEngine',
        );
      }
    }
  });
});
