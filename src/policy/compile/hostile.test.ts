import { describe, expect, it } from 'vitest';
import { compile } from '../compile.ts';
import { parse } from '../parse.ts';
import { policyObject } from '../testing/policies.ts';

const times = <Item>(count: number, make: (index: number) => Item): Item[] => Array.from({ length: count }, (_, index) => make(index));
const names = (count: number): string[] => times(count, (index) => `f${index}`);
const selectors = (selector: object): object[] => times(64, () => selector);
const bigFilter = { operator: 'In', values: names(65_536).map((name) => `/${name}`) };
const syscalls = names(65_536).map((name) => `sys_${name}`);
const ids = [{ index: 4, type: 'syscall64' }];

const HOSTILE: readonly (readonly [title: string, spec: object, code: string])[] = [
  [
    'a thousand hooks of 65,536 functions each',
    { kprobes: times(1024, () => ({ call: 'list:all' })), lists: [{ name: 'all', values: names(65_536) }] },
    'TooManyHooks',
  ],
  [
    'a macro of 65,536 values in 65,536 selectors',
    {
      lsmhooks: times(1024, () => ({ hook: 'file_open', selectors: selectors({ macros: ['m'] }) })),
      selectorsMacros: { m: { matchBinaries: [bigFilter] } },
    },
    'PlanTooLarge',
  ],
  [
    'a thousand functions that share 65,536 values',
    {
      kprobes: [{ call: 'list:all', selectors: [{ matchBinaries: [bigFilter] }] }],
      lists: [{ name: 'all', values: names(1024) }],
    },
    'PlanTooLarge',
  ],
  [
    'a list of 65,536 system calls in a thousand filters',
    {
      tracepoints: times(64, () => ({
        subsystem: 'raw_syscalls',
        event: 'sys_enter',
        args: ids,
        selectors: selectors({ matchArgs: times(16, () => ({ index: 4, operator: 'InMap', values: times(100, () => 'list:all') })) }),
      })),
      lists: [{ name: 'all', type: 'syscalls', values: syscalls }],
    },
    'PlanTooLarge',
  ],
  [
    'a list of 65,536 system calls ten thousand times in an enforcer',
    { enforcers: [{ calls: times(10_000, () => 'list:all') }], lists: [{ name: 'all', type: 'syscalls', values: syscalls }], loader: true },
    'SetTooLarge',
  ],
  [
    'half a million capabilities that there are not',
    {
      lsmhooks: times(8, () => ({
        hook: 'file_open',
        selectors: [{ matchCapabilities: [{ operator: 'In', values: times(65_536, (index) => `CAP_SYS_ADMI${index}`) }] }],
      })),
    },
    'TooManyProblems',
  ],
  [
    'a million macros that there are not',
    { lsmhooks: [{ hook: 'file_open', selectors: [{ macros: times(1_000_000, (index) => `m${index}`) }] }], selectorsMacros: { m: {} } },
    'TooManyProblems',
  ],
  [
    'a thousand lists, and as many names that are almost theirs',
    {
      kprobes: times(1024, (index) => ({ call: `list:${'x'.repeat(120)}${index}b` })),
      lists: times(1024, (index) => ({ name: `${'x'.repeat(120)}${index}a`, values: ['a'] })),
    },
    'TooManyProblems',
  ],
  [
    'a hundred thousand patterns',
    {
      kprobes: [{ call: 'list:p0' }],
      lists: times(100_000, (index) => ({ name: `p${index}`, type: 'generated_ftrace', pattern: '(a{30}){30}' })),
    },
    'SetTooLarge',
  ],
  [
    'a hundred thousand options',
    { loader: true, options: times(100_000, (index) => ({ name: `policy-mod${index}`, value: 'x' })) },
    'TooManyProblems',
  ],
];

describe('policies that are made to hurt', () => {
  it.each(HOSTILE)(
    'cost bounded time: %s',
    (_, spec, code) => {
      const parsed = parse(policyObject(spec));
      expect(parsed.ok).toBe(true);
      const startedAt = performance.now();
      const result = parsed.ok ? compile(parsed.value) : parsed;
      const tookMs = performance.now() - startedAt;
      expect(result.ok ? [] : result.problems.map((problem) => problem.code)).toContain(code);
      expect(result.ok ? 0 : result.problems.length).toBeLessThanOrEqual(101);
      expect(tookMs).toBeLessThan(10_000);
    },
    60_000,
  );
});
