import { describe, expect, it } from 'vitest';
import { evaluate } from '../evaluate/evaluate.ts';
import type { ArgValue, HookCall, ProcessFacts } from '../evaluate/event.ts';
import { callBy, noNamespaces, ran } from '../evaluate/testing/processes.ts';
import { compiled, policyObject } from '../testing/policies.ts';

const deny = [{ action: 'Override', argError: -1 }];
const FILE = { index: 0, type: 'file' };
const text = (value: string): ArgValue => ({ kind: 'bytes', value: Buffer.from(value) });
const int = (value: bigint): ArgValue => ({ kind: 'int', value });
const unknown: ArgValue = { kind: 'unknown' };

/** Positions of the selectors that match in each hook of the policy; null: none. */
function matches(spec: object, call: HookCall): (number | null)[] {
  const { plan } = compiled(policyObject(spec));
  return plan.hooks.map((hook) => evaluate(plan, hook, 'enforce', call).selector);
}

function isMatch(spec: object, args: HookCall['args'], process: Partial<ProcessFacts> = {}): boolean {
  return matches(spec, callBy(process, args))[0] === 0;
}

const probe = (selector: object, args: object[] = [FILE]) => ({
  kprobes: [{ call: 'security_file_open', syscall: false, args, selectors: [selector] }],
});
const onType = (type: string, operator: string, values: string[]) =>
  probe({ matchArgs: [{ index: 0, operator, values }] }, [{ index: 0, type }]);

describe('upstream gets it silently wrong, and here it works', () => {
  it('hooks of one policy share filter tables, so that the last one loaded decides for all', () => {
    const spec = {
      kprobes: [
        {
          call: 'tcp_connect',
          syscall: false,
          args: [{ index: 0, type: 'sock' }],
          selectors: [{ matchArgs: [{ index: 0, operator: 'Family', values: ['AF_INET'] }] }],
        },
        {
          call: 'tcp_close',
          syscall: false,
          args: [{ index: 0, type: 'sock' }],
          selectors: [{ matchArgs: [{ index: 0, operator: 'Family', values: ['AF_INET6'] }] }],
        },
      ],
    };
    const socket = (family: number): ArgValue => ({
      kind: 'socket',
      family,
      protocol: 6,
      state: 0,
      source: null,
      destination: null,
      sourcePort: 0,
      destinationPort: 0,
    });
    expect(matches(spec, callBy({}, [socket(2)]))).toEqual([0, null]);
    expect(matches(spec, callBy({}, [socket(10)]))).toEqual([null, 0]);
  });

  it('matchBinaries of one hook filters the same selector of every other hook', () => {
    const spec = {
      kprobes: [
        { call: 'tcp_connect', syscall: false, selectors: [{ matchBinaries: [{ operator: 'In', values: ['/usr/bin/nc'] }] }] },
        { call: 'tcp_close', syscall: false, selectors: [{}] },
      ],
    };
    expect(matches(spec, callBy({ binary: Buffer.from('/bin/sh') }))).toEqual([null, 0]);
  });

  it('one function cannot be hooked twice in a policy, and security_* functions not be denied beside others', () => {
    const hook = { call: 'security_file_open', syscall: false, args: [FILE] };
    const spec = {
      kprobes: [
        { ...hook, selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['/a'] }], matchActions: deny }] },
        { ...hook, selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['/b'] }] }] },
        { call: 'sys_openat' },
      ],
    };
    expect(matches(spec, callBy({}, [text('/b')]))).toEqual([null, 0, 0]);
  });

  it('a policy has one kind of hooks', () => {
    const spec = {
      kprobes: [{ call: 'sys_openat' }],
      lsmhooks: [{ hook: 'file_open' }],
      tracepoints: [{ subsystem: 'sched', event: 'sched_process_exit' }],
    };
    expect(matches(spec, callBy({}))).toEqual([0, 0, 0]);
  });

  it('only the last buffer that is read at return is shown', () => {
    const buffer = (index: number) => ({ index, type: 'char_buf', sizeArgIndex: 4, returnCopy: true });
    const { plan } = compiled(
      policyObject({
        kprobes: [{ call: 'sys_readlinkat', args: [buffer(1), buffer(2)], return: true, returnArg: { index: 0, type: 'int' } }],
      }),
    );
    expect(plan.hooks[0]?.args.filter((arg) => arg.returnCopy)).toHaveLength(2);
  });
});

describe('upstream looks at the first entry only, and here every entry counts', () => {
  it('matchPIDs has as many values as are written, not four', () => {
    const values = Array.from({ length: 1_000 }, (_, at) => at + 1);
    const spec = probe({ matchPIDs: [{ operator: 'In', values }] });
    expect([1, 5, 1_000, 1_001].map((pid) => isMatch(spec, [], { pid }))).toEqual([true, true, true, false]);
  });

  it('a second entry of matchPIDs must hold too', () => {
    const spec = probe({
      matchPIDs: [
        { operator: 'NotIn', values: [1] },
        { operator: 'NotIn', values: [2] },
      ],
    });
    expect([1, 2, 3].map((pid) => isMatch(spec, [], { pid }))).toEqual([false, false, true]);
  });

  it('followForks finds the twentieth ancestor, not only the ninth', () => {
    const spec = probe({ matchPIDs: [{ operator: 'In', values: [77], followForks: true }] });
    const ancestors = Array.from({ length: 20 }, (_, at) => ran('/bin/sh', { pid: at === 19 ? 77 : 1_000 + at }));
    expect(isMatch(spec, [], { pid: 5, ancestors })).toBe(true);
    expect(isMatch(spec, [], { pid: 5, ancestors: ancestors.slice(0, 19) })).toBe(false);
  });

  it('a second entry of matchCapabilities must hold too', () => {
    const spec = probe({
      matchCapabilities: [
        { operator: 'In', values: ['CAP_SYS_ADMIN'] },
        { operator: 'NotIn', values: ['CAP_BPF'] },
      ],
    });
    const capable = (effective: bigint) => isMatch(spec, [], { capabilities: { effective, permitted: 0n, inheritable: 0n } });
    expect([capable(1n << 21n), capable((1n << 21n) | (1n << 39n))]).toEqual([true, false]);
  });

  it('a second entry of matchCapabilityChanges must hold too', () => {
    const spec = probe({
      matchCapabilityChanges: [
        { operator: 'In', values: ['CAP_SYS_ADMIN'] },
        { operator: 'NotIn', values: ['CAP_BPF'] },
      ],
    });
    const none = { effective: 0n, permitted: 0n, inheritable: 0n };
    const gained = (effective: bigint) => isMatch(spec, [], { capabilities: { ...none, effective }, execCapabilities: none });
    expect([gained(1n << 21n), gained((1n << 21n) | (1n << 39n)), gained(0n)]).toEqual([true, false, false]);
  });

  it('CAP_DAC_OVERRIDE is a capability, in either spelling', () => {
    const { plan } = compiled(
      policyObject(probe({ matchCapabilities: [{ operator: 'In', values: ['CAP_DAC_OVERRIDE', 'DAC_OVERRIDE'] }] })),
    );
    expect(plan.hooks[0]?.selectors[0]?.filters).toMatchObject([{ mask: '2' }]);
  });
});

describe('upstream compares wrongly, and here types decide', () => {
  it('size_t has 64 bits and no sign', () => {
    const spec = onType('size_t', 'Equal', ['4294967301']);
    expect([isMatch(spec, [int(4_294_967_301n)]), isMatch(spec, [int(5n)])]).toEqual([true, false]);
    expect(isMatch(onType('size_t', 'GT', ['5']), [int(2n ** 63n)])).toBe(true);
  });

  it('small signed integers are compared with their sign', () => {
    expect([-1n, 1n].map((value) => isMatch(onType('int8', 'LT', ['0']), [int(value)]))).toEqual([true, false]);
    expect([-300n, 300n].map((value) => isMatch(onType('int16', 'GT', ['0']), [int(value)]))).toEqual([false, true]);
  });

  it('Prefix on filename, char_iovec and iov_iter compares, and does not always match', () => {
    for (const type of ['filename', 'kiocb']) {
      const spec = onType(type, 'Prefix', ['/etc/']);
      expect([type, isMatch(spec, [text('/etc/passwd')]), isMatch(spec, [text('/tmp/x')])]).toEqual([type, true, false]);
    }
    expect(isMatch(onType('iov_iter', 'Prefix', ['GET']), [text('POST')])).toBe(false);
    const spec = probe({ matchArgs: [{ index: 0, operator: 'NotPrefix', values: ['GET'] }] }, [
      { index: 0, type: 'char_iovec', sizeArgIndex: 2 },
    ]);
    expect([isMatch(spec, [text('GET')]), isMatch(spec, [text('POST')])]).toEqual([false, true]);
  });

  it('SubString finds, also in kprobes', () => {
    const spec = onType('string', 'SubStringIgnCase', ['Shadow']);
    expect([isMatch(spec, [text('/etc/sHADOW-')]), isMatch(spec, [text('/etc/passwd')])]).toEqual([true, false]);
  });

  it('an argument behind 2047 bytes of others is compared by its own bytes', () => {
    const spec = probe({ matchArgs: [{ index: 1, operator: 'Equal', values: ['7'] }] }, [
      { index: 0, type: 'string' },
      { index: 1, type: 'int' },
    ]);
    const long = text('x'.repeat(4_000));
    expect([isMatch(spec, [long, int(7n)]), isMatch(spec, [long, int(8n)])]).toEqual([true, false]);
  });

  it('capabilities are gained when the second set has what the first has not', () => {
    const spec = probe({ matchArgs: [{ args: [0, 1], operator: 'CapabilitiesGained' }] }, [
      { index: 1, type: 'cap_effective' },
      { index: 2, type: 'cap_permitted' },
    ]);
    expect([isMatch(spec, [int(1n), int(3n)]), isMatch(spec, [int(3n), int(1n)])]).toEqual([true, false]);
  });

  it('the index of a tracepoint filter is the number of the field, and is not translated twice', () => {
    const hook = (index: number) => ({
      tracepoints: [
        {
          subsystem: 'syscalls',
          event: 'sys_enter_dup2',
          args: [
            { index: 1, type: 'uint64' },
            { index: 0, type: 'uint64' },
          ],
          selectors: [{ matchArgs: [{ index, operator: 'Equal', values: ['9'] }] }],
        },
      ],
    });
    expect([isMatch(hook(0), [int(1n), int(9n)]), isMatch(hook(1), [int(9n), int(1n)])]).toEqual([true, true]);
    expect([isMatch(hook(0), [int(9n), int(1n)]), isMatch(hook(1), [int(1n), int(9n)])]).toEqual([false, false]);
  });

  it('sizeArgIndex counts from one, and the plan from zero', () => {
    const { plan } = compiled(policyObject({ kprobes: [{ call: 'sys_write', args: [{ index: 1, type: 'char_buf', sizeArgIndex: 3 }] }] }));
    expect(plan.hooks[0]?.args[0]).toMatchObject({ index: 1, sizeIndex: 2 });
  });
});

describe('upstream treats what it cannot read as no match, or as one, and here it is unknown', () => {
  const path = (operator: string, actions: object[]) =>
    probe({ matchArgs: [{ index: 0, operator, values: ['/etc/shadow'] }], matchActions: actions });

  it('a path that cannot be read does not get around a deny, and does not trigger a kill', () => {
    for (const operator of ['Equal', 'NotEqual', 'Prefix', 'NotPostfix']) {
      expect([operator, isMatch(path(operator, deny), [unknown])]).toEqual([operator, true]);
      expect([operator, isMatch(path(operator, [{ action: 'Sigkill' }]), [unknown])]).toEqual([operator, false]);
    }
  });

  it('a parent that is not known does not pass matchParentBinaries', () => {
    const spec = probe({ matchParentBinaries: [{ operator: 'In', values: ['/usr/sbin/sshd'] }] });
    expect(isMatch(spec, [], {})).toBe(false);
    expect(isMatch(spec, [], { ancestors: [ran('/usr/sbin/sshd')] })).toBe(true);
  });

  it('a process without a record of its exec is not taken for one that changed nothing', () => {
    const spec = (actions: object[]) => probe({ matchNamespaceChanges: [{ operator: 'In', values: ['Mnt'] }], matchActions: actions });
    expect([isMatch(spec(deny), [], {}), isMatch(spec([{ action: 'Sigkill' }]), [], {})]).toEqual([true, false]);
    expect(isMatch(spec(deny), [], { execNamespaces: noNamespaces })).toBe(false);
    expect(isMatch(spec(deny), [], { execNamespaces: { ...noNamespaces, mnt: 5 } })).toBe(true);
  });
});

describe('upstream overruns its buffers, and here sizes are bounds with an error', () => {
  it('selectors of more than 1024 bytes filter on the right bytes, and more than 4096 do not crash', () => {
    const values = Array.from({ length: 400 }, (_, at) => `/data/${'d'.repeat(60)}/${at}`);
    const spec = probe({ matchArgs: [{ index: 0, operator: 'Equal', values }], matchBinaries: [{ operator: 'In', values: ['/bin/sh'] }] });
    expect([isMatch(spec, [text(values[399] ?? '')]), isMatch(spec, [text('/data')])]).toEqual([true, false]);
  });

  it('a hook has more than eight filters with tables of their own', () => {
    const selectors = Array.from({ length: 20 }, (_, at) => ({ matchArgs: [{ index: 0, operator: 'Equal', values: [`/file-${at}`] }] }));
    const spec = { kprobes: [{ call: 'security_file_open', syscall: false, args: [FILE], selectors }] };
    expect(matches(spec, callBy({}, [text('/file-19')]))).toEqual([19]);
  });

  it('more than four numbers fit into Equal, and a wide range into InMap without being written out', () => {
    expect(isMatch(onType('int', 'Equal', ['1', '2', '3', '4', '5', '6']), [int(6n)])).toBe(true);
    const { text: plan } = compiled(policyObject(onType('uint64', 'InMap', ['0:1000000000000'])));
    expect(plan.length).toBeLessThan(1_000);
  });

  it('an LSM hook with more than five arguments does not crash', () => {
    const args = Array.from({ length: 6 }, (_, index) => ({ index: Math.min(index, 5), type: 'uint64' }));
    const { plan } = compiled(policyObject({ lsmhooks: [{ hook: 'inode_setxattr', args }] }));
    expect(plan.hooks[0]?.args).toHaveLength(6);
  });
});
