import { describe, expect, it } from 'vitest';
import { bind, firstFailure } from './bind.ts';
import type { BoundMethod } from './bind/methods.ts';
import type { KernelFacts } from './kernel-facts.ts';
import type { PolicyMode } from './plan.ts';
import { kernel510, kernel61, kernel612, kernel7x, kernelWith } from './testing/kernels.ts';
import { compiled, policyObject } from './testing/policies.ts';

const deny = { selectors: [{ matchActions: [{ action: 'Override', argError: -1 }] }] };
const kill = { selectors: [{ matchActions: [{ action: 'Sigkill' }] }] };
const file = { args: [{ index: 0, type: 'file' }] };
const securityFileOpen = { call: 'security_file_open', syscall: false, ...file };
const mayKill = { options: [{ name: 'palisade.dev/substitute', value: 'kill' }] };
const noLsm = { lsm: ['capability'] };

function bound(spec: object, kernel: KernelFacts, mode: PolicyMode = 'enforce') {
  const [hook] = bind(compiled(policyObject(spec)).plan, kernel, mode);
  if (hook === undefined) {
    throw new Error('the plan has no hook');
  }
  return hook;
}

const ways = (list: readonly BoundMethod[]) =>
  list.map((entry) => `${entry.method}:${entry.target}${entry.deny === 'none' ? '' : ` denies by ${entry.deny}`}`);
const methods = (spec: object, kernel: KernelFacts, mode: PolicyMode = 'enforce') => ways(bound(spec, kernel, mode).methods);

describe('denying on a security hook', () => {
  it.each([
    ['6.1', kernel61, ['lsm:file_open denies by lsm', 'fmod_ret:security_file_open denies by fmod_ret']],
    ['6.12', kernel612, ['lsm:file_open denies by lsm', 'fmod_ret:security_file_open denies by fmod_ret']],
    ['7.x, which is always preemptible', kernel7x, ['lsm:file_open denies by lsm']],
    ['5.10 with its own list of modules', kernel510, ['fmod_ret:security_file_open denies by fmod_ret']],
    [
      '5.10 booted with bpf',
      kernelWith(kernel510, { lsm: ['bpf'] }),
      ['fmod_ret:security_file_open denies by fmod_ret', 'lsm:file_open denies by lsm'],
    ],
  ])('on %s', (_, kernel, expected) => {
    expect(methods({ lsmhooks: [{ hook: 'file_open', ...file, ...deny }] }, kernel)).toEqual(expected);
  });

  it('is the same for a kprobe on the security function, which is attached as LSM', () => {
    const asKprobe = bound({ kprobes: [{ ...securityFileOpen, ...deny }] }, kernel612);
    const asLsm = bound({ lsmhooks: [{ hook: 'file_open', ...file, ...deny }] }, kernel612);
    expect(asKprobe.methods).toEqual(asLsm.methods);
    expect([asKprobe.point, asLsm.point]).toEqual(['lsm:file_open', 'lsm:file_open']);
  });

  it('is impossible where bpf is no active module and fmod_ret may be skipped, and says what to do', () => {
    const hook = bound({ lsmhooks: [{ hook: 'file_open', ...file, ...deny }] }, kernelWith(kernel7x, noLsm));
    expect(hook.methods).toEqual([]);
    expect(hook.failure?.reason).toBe('LSMNotEnabled');
    expect(hook.failure?.message).toContain('lsm=capability,bpf');
    expect(hook.failure?.message).toContain('palisade.dev/substitute');
  });

  it('may be replaced by a kill if the policy says so, and is reported as degraded', () => {
    const hook = bound({ lsmhooks: [{ hook: 'file_open', ...file, ...deny }], ...mayKill }, kernelWith(kernel7x, noLsm));
    expect(hook.methods).toMatchObject([
      { method: 'kprobe_multi', deny: 'kill', notes: ['DegradedKillOnly'] },
      { method: 'kprobe', deny: 'kill', notes: ['DegradedKillOnly'] },
    ]);
  });

  it('is not replaced by a kill on a function whose arguments are others than those of the hook', () => {
    const reqprot = { hook: 'mmap_file', args: [{ index: 1, type: 'uint64' }], ...deny };
    const hook = bound({ lsmhooks: [reqprot], ...mayKill }, kernelWith(kernel7x, noLsm));
    expect(hook.planned).toEqual([]);
    expect(hook.failure).toMatchObject({ reason: 'LSMNotEnabled', message: expect.stringContaining('no kill can stand in') });
    const onFile = { hook: 'mmap_file', ...file, ...deny };
    expect(bound({ lsmhooks: [onFile], ...mayKill }, kernelWith(kernel7x, noLsm)).methods[0]).toMatchObject({ deny: 'kill' });
  });

  it('is never preferred to be replaced by a kill where it is possible', () => {
    expect(bound({ lsmhooks: [{ hook: 'file_open', ...file, ...deny }], ...mayKill }, kernel612).methods[0]).toMatchObject({
      method: 'lsm',
      deny: 'lsm',
      notes: [],
    });
  });

  it('is not needed in monitor mode: any way to watch will do', () => {
    const spec = { lsmhooks: [{ hook: 'file_open', ...file, ...deny }] };
    expect(methods(spec, kernelWith(kernel7x, noLsm), 'monitor')[0]).toBe('kprobe_multi:security_file_open');
    expect(methods(spec, kernel612, 'monitor')[0]).toBe('lsm:file_open denies by lsm');
  });

  it('is refused on preemptible kernels without atomic operations', () => {
    const hook = bound({ lsmhooks: [{ hook: 'file_open', ...file, ...deny }] }, kernelWith(kernel612, { preempt: 'full' }, { cas: false }));
    expect(hook.failure?.reason).toBe('ScratchUnsafe');
  });
});

describe('watching and killing', () => {
  it('a security function: as LSM hook first, then on the function', () => {
    expect(methods({ kprobes: [{ ...securityFileOpen, ...kill }] }, kernel612)).toEqual([
      'lsm:file_open',
      'kprobe_multi:security_file_open',
      'kprobe:security_file_open',
    ]);
  });

  it('never uses fentry, which preemptible kernels skip', () => {
    expect(methods({ kprobes: [{ ...securityFileOpen, ...kill }] }, kernel612).join(' ')).not.toContain('fentry');
  });

  it('knows hooks whose function has another name', () => {
    expect(methods({ kprobes: [{ call: 'security_bprm_check', syscall: false }] }, kernel612)[0]).toBe('lsm:bprm_check_security');
  });

  it('does not take a hook for a function whose arguments are numbered otherwise', () => {
    const mmap = { call: 'security_mmap_file', syscall: false, args: [{ index: 2, type: 'uint64' }] };
    expect(methods({ kprobes: [mmap] }, kernel612)).not.toContain('lsm:mmap_file');
    expect(methods({ kprobes: [{ ...mmap, args: [] }] }, kernel612)).toContain('lsm:mmap_file');
    expect(methods({ kprobes: [{ ...mmap, ...file }] }, kernel612)).toContain('lsm:mmap_file');
  });

  it('a system call: kprobe.multi, kprobe, then the tracepoint of all system calls', () => {
    expect(methods({ kprobes: [{ call: 'sys_execve', ...kill }] }, kernel612)).toEqual([
      'kprobe_multi:__x64_sys_execve',
      'kprobe:__x64_sys_execve',
      'raw_tp_sys_enter:__x64_sys_execve',
    ]);
  });

  it('prefers links that survive the loader, and reports NotPersistent where there are none', () => {
    expect(methods({ kprobes: [{ call: 'sys_execve', ...kill }] }, kernel510)).toEqual([
      'raw_tp_sys_enter:__x64_sys_execve',
      'kprobe:__x64_sys_execve',
    ]);
    expect(methods({ kprobes: [{ call: 'tcp_connect', syscall: false }] }, kernel510)).toEqual(['kprobe:tcp_connect']);
    const tracepoint = { subsystem: 'sched', event: 'sched_process_exec' };
    expect(bound({ tracepoints: [tracepoint] }, kernel510).methods).toMatchObject([{ method: 'tracepoint', notes: ['NotPersistent'] }]);
  });

  it('writes the name of a system call as the architecture does', () => {
    const arm = kernelWith(kernel612, { arch: 'aarch64', catalogue: null });
    expect(methods({ kprobes: [{ call: 'sys_execve' }] }, arm)[0]).toBe('kprobe_multi:__arm64_sys_execve');
  });
});

describe('denying a system call', () => {
  const spec = { kprobes: [{ call: 'sys_setuid', ...deny }] };

  it('uses fmod_ret where nothing preempts', () => {
    expect(methods(spec, kernelWith(kernel612, {}, { fmod_ret_syscall: true }))).toEqual(['fmod_ret:__x64_sys_setuid denies by fmod_ret']);
  });

  it('is not promised where bpf_override_return alone would do it, which no kernel lets an engine behind a tail call use', () => {
    const { failure, planned } = bound(spec, kernelWith(kernel612, {}, { override_return: true }));
    expect(failure).toMatchObject({
      reason: 'NotInEngine',
      field: 'spec.kprobes[0]',
      message: expect.stringContaining('substitute: kill'),
    });
    expect(ways(planned)).toEqual(['kprobe:__x64_sys_setuid denies by override_return']);
  });

  it('is watched or done by a kill where the helper is not used and the policy is content with that', () => {
    const kernel = kernelWith(kernel612, {}, { override_return: true, kprobe_multi: false });
    const killing = { ...spec, options: [{ name: 'palisade.dev/substitute', value: 'kill' }] };
    expect(methods(killing, kernel)).toEqual(['kprobe:__x64_sys_setuid denies by kill']);
    expect(bound(spec, kernel, 'monitor')).toMatchObject({ failure: null, effective: 'observe' });
  });

  it('is impossible on preemptible kernels without the helper, and on those that let no system call fail', () => {
    expect(bound(spec, kernel7x).failure?.reason).toBe('OverrideHelperMissing');
    expect(bound(spec, kernel612).failure).toMatchObject({ reason: 'OverrideHelperMissing', field: 'spec.kprobes[0]' });
  });

  it('is impossible where the kernel has the helper and does not let this one fail', () => {
    const injectable = { ...kernel612.catalogue, errorInjectable: new Set(['__x64_sys_openat']) };
    const catalogue = { functions: new Set<string>(), lsmHooks: new Set<string>(), tracepoints: new Set<string>(), ...injectable };
    const kernel = kernelWith(kernel612, { catalogue }, { override_return: true });
    expect(bound(spec, kernel).failure).toMatchObject({ reason: 'NotErrorInjectable' });
    expect(bound({ kprobes: [{ call: 'sys_openat', ...deny }] }, kernel).failure).toMatchObject({ reason: 'NotInEngine' });
  });

  it('is done in the way that the policy asks for, or not at all', () => {
    const kernel = kernelWith(kernel612, {}, { override_return: true, fmod_ret_syscall: true });
    const asking = (value: string) => ({ ...spec, options: [{ name: 'override-method', value }] });
    expect(bound(spec, kernel).planned).toHaveLength(2);
    expect(methods(asking('fmod-ret'), kernel)).toEqual(['fmod_ret:__x64_sys_setuid denies by fmod_ret']);
    expect(ways(bound(asking('override-return'), kernel).planned)).toEqual(['kprobe:__x64_sys_setuid denies by override_return']);
    expect(bound(asking('override-return'), kernel).failure).toMatchObject({ reason: 'NotInEngine' });
    expect(bound(asking('fmod-ret'), kernelWith(kernel, { preempt: 'full' })).failure).toMatchObject({ reason: 'FmodRetPreemptible' });
    expect(bound(asking('override-return'), kernelWith(kernel, {}, { override_return: false })).failure).toMatchObject({
      reason: 'OverrideHelperMissing',
      message: expect.stringContaining('without it fmod_ret would deny'),
    });
  });
});

describe('what a kernel does not have', () => {
  it.each([
    [{ kprobes: [{ call: 'tcp_conect', syscall: false }] }, 'FunctionNotFound', 'tcp_connect', 'spec.kprobes[0].call'],
    [{ kprobes: [{ call: 'sys_execv' }] }, 'FunctionNotFound', '"sys_execve"', 'spec.kprobes[0].call'],
    [{ lsmhooks: [{ hook: 'file_opn' }] }, 'LsmHookNotFound', 'file_open', 'spec.lsmhooks[0].hook'],
    [
      { tracepoints: [{ subsystem: 'sched', event: 'sched_process_exek' }] },
      'TracepointMissing',
      'sched/sched_process_exec',
      'spec.tracepoints[0].event',
    ],
  ])('is named, with the nearest name it has: %j', (spec, reason, near, field) => {
    const hook = bound(spec, kernel612);
    expect(hook).toMatchObject({ failure: { reason }, field, methods: [] });
    expect(hook.failure?.message).toContain(near);
  });

  it('is not known to be missing without a catalogue', () => {
    expect(bound({ kprobes: [{ call: 'tcp_conect', syscall: false }] }, kernelWith(kernel612, { catalogue: null })).failure).toBeNull();
  });

  it('is not an LSM hook because a function sounds like one', () => {
    const bprm = { lsmhooks: [{ hook: 'bprm_check' }] };
    expect(bound(bprm, kernel612).failure).toMatchObject({ reason: 'LsmHookNotFound' });
    const withoutHooks = { functions: new Set(['security_bprm_check']), lsmHooks: new Set<string>(), tracepoints: new Set<string>() };
    const kernel = kernelWith(kernel612, { catalogue: withoutHooks, lsm: [] }, { bpf_lsm: false });
    expect(methods({ lsmhooks: [{ hook: 'bprm_check_security' }] }, kernel)[0]).toBe('kprobe_multi:security_bprm_check');
  });

  it('is a function for who asked for a function, and the security module for who asked for its hook', () => {
    const inlined = { functions: new Set(['security_file_permission']), lsmHooks: new Set(['file_open']), tracepoints: new Set<string>() };
    const kernel = kernelWith(kernel612, { catalogue: inlined, ...noLsm });
    const byFunction = bound({ kprobes: [{ call: 'security_file_open', syscall: false }] }, kernel);
    expect(byFunction.failure).toMatchObject({ reason: 'FunctionNotFound' });
    expect(byFunction.failure?.message).toContain('no function "security_file_open"');
    expect(bound({ lsmhooks: [{ hook: 'file_open' }] }, kernel).failure).toMatchObject({ reason: 'LSMNotEnabled' });
    expect(bound({ kprobes: [{ call: 'security_nosuch', syscall: false }] }, kernel612).failure).toMatchObject({
      reason: 'FunctionNotFound',
    });
  });

  it('without BTF nothing can be had', () => {
    const all = bind(
      compiled(policyObject({ kprobes: [securityFileOpen], lsmhooks: [{ hook: 'file_open' }] })).plan,
      kernelWith(kernel612, {}, { btf: false }),
      'enforce',
    );
    expect(all.map((hook) => hook.failure?.reason)).toEqual(['BTFUnavailable', 'BTFUnavailable']);
    expect(firstFailure(all)?.path).toBe('spec.kprobes[0]');
  });
});
