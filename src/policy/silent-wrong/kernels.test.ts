import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import { compiled, policyObject } from '../testing/policies.ts';
import { RECORDED, type RecordedKernel, readRecorded } from '../testing/recorded-kernels.ts';

const bound = (spec: object, kernel: RecordedKernel) => bind(compiled(policyObject(spec)).plan, readRecorded(kernel), 'enforce');
const probe = (hook: object) => ({ kprobes: [{ syscall: false, ...hook }] });
const reasons = (spec: object) => RECORDED.map((kernel) => bound(spec, kernel)[0]?.failure?.reason ?? null);

/** What upstream logs as a warning, or finds out on each node when it is too late. */
describe('upstream loads it although the kernel cannot do it, and here bind says so', () => {
  it('an argument of another type than the kernel has is a warning in a log', () => {
    const spec = probe({ call: 'security_file_open', args: [{ index: 0, type: 'sock' }] });
    expect(reasons(spec)).toEqual(RECORDED.map(() => 'BtfTypeMismatch'));
    expect(bound(spec, '6.12')[0]?.failure?.field).toBe('spec.kprobes[0].args[0].type');
  });

  it('an argument that the function does not have is a warning in a log', () => {
    expect(reasons(probe({ call: 'security_file_open', args: [{ index: 3, type: 'int' }] }))).toEqual(
      RECORDED.map(() => 'ArgIndexOutOfRange'),
    );
  });

  it('a published policy reads the wrong argument since Linux 6.10, where one was put before it', () => {
    const spec = probe({ call: 'security_inode_copy_up_xattr', args: [{ index: 0, type: 'string' }] });
    expect(reasons(spec)).toEqual([null, null, 'BtfTypeMismatch', 'BtfTypeMismatch']);
  });

  it('a published policy watches a function that is no function any more', () => {
    const [failure] = bound(probe({ call: 'kfree_skb_reason' }), '6.12').map((hook) => hook.failure);
    expect(failure).toMatchObject({ reason: 'FunctionNotFound', field: 'spec.kprobes[0].call' });
  });

  it('a function that may be missing is skipped with a note, and the rest of the policy loads', () => {
    const spec = {
      kprobes: [
        { call: 'security_bpf_map_alloc', syscall: false, ignore: { callNotFound: true } },
        { call: 'security_bpf_map_create', syscall: false, ignore: { callNotFound: true } },
      ],
    };
    const told = RECORDED.map((kernel) => bound(spec, kernel).map((hook) => (hook.methods.length > 0 ? 'runs' : hook.notes[0]?.reason)));
    expect(told).toEqual([
      ['runs', 'HookIgnored'],
      ['runs', 'HookIgnored'],
      ['HookIgnored', 'runs'],
      ['HookIgnored', 'runs'],
    ]);
  });

  it('SubString never matches where the kernel lacks what it needs', () => {
    const spec = probe({
      call: 'security_file_open',
      args: [{ index: 0, type: 'file' }],
      selectors: [{ matchArgs: [{ index: 0, operator: 'SubString', values: ['shadow'] }] }],
    });
    expect(bound(spec, '5.10')[0]?.failure?.reason).toBe('NeedsBpfLoop');
    expect(bound(spec, '6.12')[0]?.failure?.reason).toBe('NotInEngine');
  });

  it('the hash of a file is empty where IMA is not built in', () => {
    const spec = { lsmhooks: [{ hook: 'file_open', selectors: [{ matchActions: [{ action: 'Post', imaHash: true }] }] }] };
    expect(reasons(spec)).not.toContain(null);
  });
});
