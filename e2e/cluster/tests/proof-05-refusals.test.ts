import { describe, expect, it } from 'vitest';
import { policyText, refusalOf } from './policies.ts';

const fileArg = [{ index: 0, type: 'file' }];
const kprobe = (hook: object): object => ({ kprobes: [{ call: 'security_file_open', syscall: false, args: fileArg, ...hook }] });
const selector = (value: object): object => kprobe({ selectors: [value] });
const sigkill = [{ action: 'Sigkill' }];

/** What is wrong, the policy's spec, and what the refusal must say: the field's path, and what would be right. */
const refused: readonly (readonly [string, object, readonly string[]])[] = [
  [
    'a misspelt field',
    selector({ matchBinarys: [{ operator: 'In', values: ['/bin/nc'] }], matchActions: sigkill }),
    ['spec.kprobes[0].selectors[0].matchBinarys', 'matchBinaries'],
  ],
  [
    'a function unknown to every node',
    kprobe({ call: 'security_file_opn' }),
    ['spec.kprobes[0].call', 'did you mean', 'security_file_open'],
  ],
  [
    'a misspelt operator',
    selector({ matchArgs: [{ index: 0, operator: 'Prefx', values: ['/etc/'] }] }),
    ['spec.kprobes[0].selectors[0].matchArgs[0].operator', 'Prefix'],
  ],
  [
    'an operator that does not fit the type',
    {
      kprobes: [
        {
          call: 'security_file_open',
          syscall: false,
          args: [{ index: 1, type: 'int' }],
          selectors: [{ matchArgs: [{ index: 1, operator: 'Prefix', values: ['5'] }] }],
        },
      ],
    },
    ['spec.kprobes[0].selectors[0].matchArgs[0].operator', 'Equal'],
  ],
  [
    'an undeclared argument index',
    selector({ matchArgs: [{ index: 3, operator: 'Equal', values: ['/etc/x'] }] }),
    ['spec.kprobes[0].selectors[0].matchArgs[0].index', '0'],
  ],
  [
    'Override without an error',
    { lsmhooks: [{ hook: 'file_open', args: fileArg, selectors: [{ matchActions: [{ action: 'Override' }] }] }] },
    ['spec.lsmhooks[0].selectors[0].matchActions[0]', 'argError'],
  ],
  [
    'Override on a tracepoint',
    {
      tracepoints: [
        { subsystem: 'sched', event: 'sched_process_exec', selectors: [{ matchActions: [{ action: 'Override', argError: -1 }] }] },
      ],
    },
    ['spec.tracepoints[0].selectors[0].matchActions[0]', 'Override'],
  ],
  [
    'an unknown capability',
    selector({ matchCapabilities: [{ type: 'Effective', operator: 'NotIn', values: ['CAP_SYS_ADMN'] }] }),
    ['spec.kprobes[0].selectors[0].matchCapabilities[0].values[0]', 'CAP_SYS_ADMIN'],
  ],
  ['an unknown option', { ...kprobe({}), options: [{ name: 'policy-mod', value: 'monitor' }] }, ['spec.options[0].name', 'policy-mode']],
  [
    'a word where a number is needed',
    {
      kprobes: [
        {
          call: 'sys_lseek',
          syscall: true,
          args: [{ index: 0, type: 'int' }],
          selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['five'] }] }],
        },
      ],
    },
    ['spec.kprobes[0].selectors[0].matchArgs[0].values[0]', 'five'],
  ],
  ['an empty spec', {}, ['spec', 'NoHooks']],
  [
    'a value that is too long',
    selector({ matchArgs: [{ index: 0, operator: 'Equal', values: [`/${'x'.repeat(5000)}`] }] }),
    ['spec.kprobes[0].selectors[0].matchArgs[0].values[0]'],
  ],
];

describe("Proof 5: twelve bad policies are refused by the API server with the field's path and what would be right", () => {
  it.each(refused)('%s', async (_what, spec, expected) => {
    const message = await refusalOf(policyText({ name: 'bad-policy' }, spec));
    process.stdout.write(`    · ${message.slice(0, 300)}\n`);
    for (const part of expected) expect(message).toContain(part);
  });

  it('and their number is twelve', () => {
    expect(refused).toHaveLength(12);
  });
});
