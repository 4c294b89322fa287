import { describe, expect, it } from 'vitest';
import { compiled, kprobePolicy, lsmPolicy, policyObject } from '../testing/policies.ts';
import { type DiffPolicy, type PolicyDiff, diffPolicies } from './diff-policies.ts';

function side(object: Record<string, unknown>, name = 'test'): DiffPolicy {
  const { plan, mode, nodeSelector } = compiled(object);
  return { name, plan, mode, nodeSelector };
}

/** A clock that ticks once for each look at it: searches end after so many tries, on every machine. */
function diff(before: Record<string, unknown>, after: Record<string, unknown>, tries = 200_000): PolicyDiff {
  let ticks = 0;
  return diffPolicies([side(before)], [side(after)], { nowMs: () => (ticks += 1), searchMs: tries, maxExamples: 5 });
}

const deny = { matchActions: [{ action: 'Override', argError: -1 }] };
const values = (operator: string, ...list: readonly string[]): object => ({ matchArgs: [{ index: 0, operator, values: list }] });
const sentences = ({ changes }: PolicyDiff): readonly string[] => changes.map(({ sentence }) => sentence);
const tests = ({ examples }: PolicyDiff): readonly unknown[] => examples.map(({ test }) => ({ ...test, name: undefined }));

describe('two policies that mean the same', () => {
  it('are the same plan, whatever the order of values', () => {
    const result = diff(lsmPolicy({ ...values('Equal', '/a', '/b'), ...deny }), lsmPolicy({ ...values('Equal', '/b', '/a'), ...deny }));
    expect(result).toEqual({ isSamePlan: true, changes: [], examples: [], triedCount: 0, isComplete: true });
  });

  it('may be written differently, and no call shows it', () => {
    const result = diff(lsmPolicy(values('Prefix', '/etc/')), lsmPolicy(values('Prefix', '/etc/', '/etc/ssh/')));
    expect(sentences(result)).toEqual([expect.stringContaining('"/etc/ssh/" is added')]);
    expect(result.examples).toEqual([]);
    expect(result.isComplete).toBe(true);
  });
});

describe('an example of what changed', () => {
  it('is a value that was added', () => {
    const result = diff(lsmPolicy({ ...values('Equal', '/a'), ...deny }), lsmPolicy({ ...values('Equal', '/a', '/b'), ...deny }));
    expect(tests(result)).toEqual([{ hook: 'lsm:file_open', args: ['/b'], expect: 'deny EPERM' }]);
    expect(result.examples[0]).toMatchObject({ before: 'allow, no event', after: 'deny EPERM, an event', passesWith: 'after' });
  });

  it('is found among thousands of values', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `/data/${index}`);
    const result = diff(
      lsmPolicy({ ...values('Equal', ...many), ...deny }),
      lsmPolicy({ ...values('Equal', ...many, '/data/x'), ...deny }),
    );
    expect(tests(result)).toEqual([{ hook: 'lsm:file_open', args: ['/data/x'], expect: 'deny EPERM' }]);
  });

  it('is found in the last of many selectors with many values', () => {
    const hook = { hook: 'file_open', args: [{ index: 0, type: 'file' }] };
    const many = (extra: string): Record<string, unknown> => {
      const selectors = Array.from({ length: 40 }, (_, at) => {
        const own = Array.from({ length: 100 }, (__, index) => `/data/${at}/${index}`);
        return values('Equal', ...own, ...(at === 39 ? [extra] : []));
      });
      return policyObject({ lsmhooks: [{ ...hook, selectors }] });
    };
    expect(tests(diff(many('/x'), many('/y')))).toEqual([
      { hook: 'lsm:file_open', args: [expect.stringMatching(/^\/[xy]$/)], expect: expect.any(String) },
    ]);
  });

  it('has what a terminal would obey as bytes', () => {
    const hostile = '/\u009b\u202e';
    const result = diff(lsmPolicy({ ...values('Equal', '/a'), ...deny }), lsmPolicy({ ...values('Equal', '/a', hostile), ...deny }));
    expect(tests(result)).toMatchObject([{ args: [{ hex: Buffer.from(hostile).toString('hex') }], expect: 'deny EPERM' }]);
  });

  it('is beside a value where the operator changed', () => {
    const result = diff(lsmPolicy({ ...values('Equal', '/etc/'), ...deny }), lsmPolicy({ ...values('Prefix', '/etc/'), ...deny }));
    expect(tests(result)).toEqual([{ hook: 'lsm:file_open', args: ['/etc/x'], expect: 'deny EPERM' }]);
  });

  it('has the capabilities, the executable and the namespace that it takes', () => {
    const selector = {
      ...values('Equal', '/a'),
      matchBinaries: [{ operator: 'In', values: ['/bin/sh'] }],
      matchCapabilities: [{ type: 'Effective', operator: 'In', values: ['CAP_SYS_ADMIN'] }],
      matchNamespaces: [{ namespace: 'Pod', operator: 'In', values: ['team-a'] }],
      ...deny,
    };
    const result = diff(
      lsmPolicy(selector),
      lsmPolicy({ ...selector, matchBinaries: [{ operator: 'In', values: ['/bin/sh', '/bin/ash'] }] }),
    );
    expect(tests(result)).toEqual([
      {
        hook: 'lsm:file_open',
        args: ['/a'],
        process: { binary: '/bin/ash', capabilities: { effective: ['CAP_SYS_ADMIN'] } },
        pod: 'team-a',
        expect: 'deny EPERM',
      },
    ]);
  });

  it('is a pod in or out of the scope', () => {
    const result = diff(lsmPolicy(deny, { podSelector: {} }), lsmPolicy(deny, { podSelector: { matchLabels: { app: 'web' } } }));
    expect(tests(result)).toEqual([{ hook: 'lsm:file_open', args: ['/tmp/x'], expect: 'allow' }]);
    expect(sentences(result)).toEqual([expect.stringContaining('it is about: processes of pods with the label app = "web"')]);
  });

  it('is something that could not be read, where only that is treated differently', () => {
    const spec = values('Equal', '/a');
    const result = diff(lsmPolicy(spec), lsmPolicy(spec, { options: [{ name: 'palisade.dev/on-unknown', value: 'match' }] }));
    expect(tests(result)).toEqual([{ hook: 'lsm:file_open', args: ['unknown'], expect: 'event' }]);
  });

  it('is a socket, put together from address and port', () => {
    const connect = (...list: readonly object[]): Record<string, unknown> =>
      policyObject({
        kprobes: [{ call: 'tcp_connect', syscall: false, args: [{ index: 0, type: 'sock' }], selectors: [{ matchArgs: list }] }],
      });
    const toNet = { index: 0, operator: 'DAddr', values: ['10.0.0.0/8'] };
    const result = diff(
      connect(toNet, { index: 0, operator: 'DPort', values: ['443'] }),
      connect(toNet, { index: 0, operator: 'DPort', values: ['443', '8443'] }),
    );
    expect(tests(result)).toEqual([{ hook: 'kprobe:tcp_connect', args: [{ daddr: '10.0.0.0', dport: 8443 }], expect: 'event' }]);
  });

  it('is one for each hook that is there on one side only, and passes with the side that has it', () => {
    const result = diff(kprobePolicy({}), lsmPolicy(deny));
    expect(sentences(result)).toEqual(['kprobe:security_file_open is no longer watched', 'lsm:file_open is watched, was not']);
    expect(result.examples.map(({ hook, passesWith, test }) => [hook, passesWith, test.expect])).toEqual([
      ['kprobe:security_file_open', 'before', 'event'],
      ['lsm:file_open', 'after', 'deny EPERM'],
    ]);
  });

  it('tells a changed message, an order of selectors and the mode', () => {
    const hook = { hook: 'file_open', args: [{ index: 0, type: 'file' }] };
    const message = (text: string): Record<string, unknown> => policyObject({ lsmhooks: [{ ...hook, message: text }] });
    expect(tests(diff(message('old'), message('new')))).toEqual([
      {
        hook: 'lsm:file_open',
        args: ['/tmp/x'],
        expect: { verdict: 'allow', events: [{ policy: 'test', action: 'post', message: 'new' }] },
      },
    ]);
    const first = { ...values('Prefix', '/etc/'), ...deny };
    const second = values('Equal', '/etc/passwd');
    const ordered = (...selectors: readonly object[]): Record<string, unknown> => policyObject({ lsmhooks: [{ ...hook, selectors }] });
    const order = diff(ordered(first, second), ordered(second, first));
    expect(sentences(order)).toEqual(['the selectors are in another order: the first that matches acts']);
    expect(tests(order)).toEqual([{ hook: 'lsm:file_open', args: ['/etc/passwd'], expect: 'allow' }]);
    const mode = diff(lsmPolicy(deny), lsmPolicy(deny, { options: [{ name: 'policy-mode', value: 'monitor' }] }));
    expect(tests(mode)).toEqual([{ hook: 'lsm:file_open', args: ['/tmp/x'], expect: 'would deny EPERM' }]);
  });
});

describe('a hook with several places in a program', () => {
  const uprobe = (...symbols: readonly string[]): Record<string, unknown> => policyObject({ uprobes: [{ path: '/bin/bash', symbols }] });

  it('is compared place by place', () => {
    const result = diff(uprobe('readline', 'main'), uprobe('main'));
    expect(sentences(result)).toEqual([expect.stringContaining('the place in the program of uprobe:/bin/bash:main is')]);
    expect(tests(result)).toEqual([{ hook: 'uprobe:/bin/bash:readline', expect: 'event' }]);
  });
});

describe('a difference is found for', () => {
  const selector = (before: object, after: object): readonly [Record<string, unknown>, Record<string, unknown>] => [
    kprobePolicy({ selectors: [{ ...before, ...deny }] }),
    kprobePolicy({ selectors: [{ ...after, ...deny }] }),
  ];
  const argument = (type: string, before: object, after: object): readonly [Record<string, unknown>, Record<string, unknown>] => {
    const args = [0, 1].map((index) => ({ index, type }));
    const [one, two] = [before, after].map((filter) => ({ matchArgs: [{ ...(type === 'cap_effective' ? {} : { index: 0 }), ...filter }] }));
    return [kprobePolicy({ args, selectors: [one] }), kprobePolicy({ args, selectors: [two] })];
  };
  const parent = (more: object): object => ({ matchParentBinaries: [{ operator: 'In', values: ['/bin/a'], ...more }] });
  const capability = (block: string, more: object): object => ({
    [block]: [{ type: 'Effective', operator: 'In', values: ['CAP_BPF'], ...more }],
  });
  const celOf = (expression: string): object => ({ operator: 'CelExpr', values: [expression] });
  const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `v${at}`);
  const scoped = (count: number): Record<string, unknown> =>
    lsmPolicy(deny, { podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: numbered(count) }] } });

  it.each([
    ['the case of a part', selector(values('SubString', '/etc/abc'), values('SubStringIgnCase', '/etc/abc'))],
    ['ancestors of the parent', selector(parent({}), parent({ followChildren: true }))],
    [
      'ids in a namespace, and those on the host',
      selector({ matchPIDs: [{ operator: 'In', values: [77] }] }, { matchPIDs: [{ operator: 'In', values: [77], isNamespacePID: true }] }),
    ],
    [
      'a capability that counts outside of the host',
      selector(capability('matchCapabilities', {}), capability('matchCapabilities', { isNamespaceCapability: true })),
    ],
    [
      'the same of changes',
      selector(capability('matchCapabilityChanges', {}), capability('matchCapabilityChanges', { isNamespaceCapability: true })),
    ],
    [
      'the kind of namespace that changed',
      selector(
        { matchNamespaceChanges: [{ operator: 'In', values: ['Mnt'] }] },
        { matchNamespaceChanges: [{ operator: 'NotIn', values: ['Mnt'] }] },
      ),
    ],
    [
      'the order of two sets of capabilities',
      argument('cap_effective', { args: [0, 1], operator: 'CapabilitiesGained' }, { args: [1, 0], operator: 'CapabilitiesGained' }),
    ],
    ['a bit of a mask', argument('uint64', { operator: 'Mask', values: ['0x5'] }, { operator: 'Mask', values: ['0x7'] })],
    [
      'the largest number',
      argument('uint64', { operator: 'Equal', values: ['18446744073709551615'] }, { operator: 'Equal', values: ['18446744073709551614'] }),
    ],
    ['a sum in an expression', argument('int', celOf('arg0 + int32(1337) == int32(99)'), celOf('arg0 + int32(1337) == int32(98)'))],
    ['and and or', argument('int', celOf('arg0 > int32(5) && arg1 == int32(7)'), celOf('arg0 > int32(5) || arg1 == int32(7)'))],
    [
      'the last bit of a network',
      argument('sock', { operator: 'NotDAddr', values: ['10.0.0.0/8'] }, { operator: 'NotDAddr', values: ['10.0.0.0/9'] }),
    ],
    ['one label of many', [scoped(30), scoped(31)] as const],
  ])('%s', (_, [before, after]) => {
    expect(diff(before, after).examples).toHaveLength(1);
  });
});

describe('what no single call shows', () => {
  it('is told, and marked', () => {
    const rate = diff(lsmPolicy({}), lsmPolicy({}, { options: [{ name: 'palisade.dev/event-rate', value: '5/s' }] }));
    expect(rate.changes).toMatchObject([{ sentence: 'palisade.dev/event-rate (per second) is 5, was 1000', isSearchable: false }]);
    expect(rate.examples).toEqual([]);
    const limit = diff(
      lsmPolicy({ matchActions: [{ action: 'Post' }] }),
      lsmPolicy({ matchActions: [{ action: 'Post', rateLimit: '5s' }] }),
    );
    expect(limit.changes).toMatchObject([{ sentence: expect.stringContaining('does otherwise'), isSearchable: false }]);
    const fetched = (url: string): Record<string, unknown> =>
      kprobePolicy({ selectors: [{ matchActions: [{ action: 'GetUrl', argUrl: url }] }] });
    const url = diff(fetched('http://127.0.0.1/a'), fetched('http://127.0.0.1/b'));
    expect(url.changes).toMatchObject([{ sentence: 'does GetUrl http://127.0.0.1/b; did GetUrl http://127.0.0.1/a', isSearchable: false }]);
    const tags = diff(kprobePolicy({ tags: ['old'] }), kprobePolicy({ tags: ['new'] }));
    expect(tags).toMatchObject({ changes: [{ sentence: 'the tags are "new", were "old"', isSearchable: false }], examples: [] });
    const plain = { call: 'sys_openat', args: [] };
    const syscall = diff(kprobePolicy({ ...plain, syscall: true }), kprobePolicy({ ...plain, syscall: false }));
    expect(syscall.changes).toMatchObject([{ sentence: 'syscall of kprobe:sys_openat is false, was true', isSearchable: false }]);
    const nodes = diff(lsmPolicy({}), lsmPolicy({}, { nodeSelector: { matchLabels: { pool: 'a' } } }));
    expect(nodes.changes).toMatchObject([{ path: 'spec.nodeSelector', isSearchable: false }]);
  });
});

describe('several policies in a file', () => {
  it('are pairs by name, and act together', () => {
    const limits = { nowMs: () => 0, searchMs: 1, maxExamples: 5 };
    const [observes, denies] = [side(lsmPolicy({}), 'observe'), side(lsmPolicy(deny), 'deny')];
    const result = diffPolicies([observes], [observes, denies], limits);
    expect(result.changes).toMatchObject([{ policy: 'deny', sentence: 'the policy is new' }]);
    expect(tests(result)).toEqual([{ hook: 'lsm:file_open', args: ['/tmp/x'], expect: 'deny EPERM' }]);
    expect(diffPolicies([observes, denies], [denies, observes], limits).isSamePlan).toBe(true);
  });
});

describe('the time', () => {
  it('bounds the search', () => {
    const many = (count: number, extra: string): Record<string, unknown> =>
      lsmPolicy(values('Prefix', ...Array.from({ length: count }, (_, index) => `/p${index}/`), extra));
    const result = diff(many(40, '/p1/a'), many(40, '/p1/b'), 50);
    expect(result).toMatchObject({ examples: [], isComplete: false });
    expect(result.triedCount).toBeLessThan(60);
  });
});
