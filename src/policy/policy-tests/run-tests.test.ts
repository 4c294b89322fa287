import { describe, expect, it } from 'vitest';
import { lsmPolicy, policyObject } from '../testing/policies.ts';
import { failuresOf, runTestText, testedPolicy } from '../testing/policy-tests.ts';

const denyShadow = lsmPolicy(
  {
    matchArgs: [{ index: 0, operator: 'Equal', values: ['/etc/shadow'] }],
    matchBinaries: [{ operator: 'NotIn', values: ['/usr/bin/passwd'] }],
    matchActions: [{ action: 'Override', argError: -1 }],
  },
  { podSelector: { matchLabels: { app: 'web' } } },
);
const policy = testedPolicy(denyShadow, 'deny-shadow');
const problemsOf = (text: string): readonly string[] => runTestText(text, [policy]).problems;

describe('a test file', () => {
  it('passes when everything is as expected', () => {
    const text = `
pod: { labels: { app: web } }
cases:
  - name: denied
    args: [/etc/shadow]
    expect: deny EPERM
  - name: passwd may
    args: [/etc/shadow]
    process: { binary: /usr/bin/passwd }
    expect: nothing
  - name: another namespace is no other pod
    args: [/etc/shadow]
    pod: team-a
    expect: { verdict: deny, events: [{ policy: deny-shadow, action: override }] }
  - name: the host may
    args: [/etc/shadow]
    host: true
    expect: nothing
  - name: what cannot be read is denied
    args: [unknown]
    expect: { verdict: deny EPERM, unknown: true }
`;
    expect(failuresOf(text, [policy])).toEqual([]);
  });

  it('fails with what was expected and what happened', () => {
    const text = `
cases:
  - name: a pod without the label
    args: [/etc/shadow]
    expect: deny EPERM
  - name: events of nobody
    args: [/etc/shadow]
    pod: { labels: { app: web } }
    expect: { events: [] }
  - name: another error
    args: [/etc/shadow]
    pod: { labels: { app: web } }
    expect: deny EACCES
`;
    expect(failuresOf(text, [policy])).toEqual([
      'a pod without the label: expected deny EPERM, happened allow',
      'events of nobody: expected no event, happened event of deny-shadow (override)',
      'another error: expected deny EACCES, happened deny EPERM',
    ]);
  });

  it('tells monitor mode from enforcement', () => {
    const text = `
mode: monitor
pod: { labels: { app: web } }
cases:
  - { name: reported, args: [/etc/shadow], expect: would deny EPERM }
  - { name: not done, args: [/etc/shadow], expect: deny EPERM }
  - { name: nor merely allowed, args: [/etc/shadow], expect: allow }
  - { name: enforced after all, args: [/etc/shadow], mode: enforce, expect: deny EPERM }
`;
    expect(failuresOf(text, [policy])).toEqual([
      'not done: expected deny EPERM, happened would deny EPERM',
      'nor merely allowed: expected allow, happened would deny EPERM',
    ]);
  });

  it('asks all policies on a function together, and takes the strictest', () => {
    const kill = testedPolicy(
      lsmPolicy({ matchArgs: [{ index: 0, operator: 'Prefix', values: ['/etc/'] }], matchActions: [{ action: 'Sigkill' }] }),
      'kill-etc',
    );
    const text = `
cases:
  - name: both
    args: [/etc/shadow]
    pod: { labels: { app: web } }
    expect: { verdict: deny EPERM + kill, events: [kill-etc, deny-shadow] }
  - name: one
    args: [/etc/passwd]
    expect: { verdict: kill, events: [kill-etc] }
`;
    expect(failuresOf(text, [policy, kill])).toEqual([]);
  });

  it('is wrong if it tests nothing', () => {
    expect(problemsOf('cases: []')).toEqual([
      expect.stringContaining('x.test.yaml:1:1: OutOfRange: cases: a list of 0 is too little; at least 1'),
    ]);
    expect(problemsOf('policy: a.yaml')).toEqual([expect.stringContaining('MissingField: cases')]);
    expect(problemsOf('cases: [{ name: x, args: [/etc/shadow] }]')).toEqual([expect.stringContaining('MissingField: cases[0].expect')]);
    expect(problemsOf('cases: [{ name: x, args: [/etc/shadow], expect: {} }]')).toEqual([
      expect.stringContaining('BadExpectation: cases[0].expect: expects nothing that could fail'),
    ]);
    expect(problemsOf('[]')).toEqual([expect.stringContaining('NotAnObject')]);
  });

  it('is wrong where it names what the policy does not have, with the place', () => {
    const text = `cases:
  - name: a
    hook: lsm:file_opne
    expect: allow
  - name: b
    args: [/etc/shadow, 1]
    expect: allow
  - name: c
    args: {}
    expect: allow
  - name: c
    args: [5]
    returns: 0
    expect: { events: [other] }
  - name: d
    hook: spec.lsmhooks[1]
    expect: allow
`;
    expect(problemsOf(text)).toEqual([
      'x.test.yaml:3:11: NoSuchHook: cases[0].hook: "lsm:file_opne" is no hook of the policies; did you mean "lsm:file_open"?',
      'x.test.yaml:6:25: NotRead: cases[1].args[1]: the policy does not read argument "1" of this hook; it reads 0',
      'x.test.yaml:9:5: NotGiven: cases[2].args: deny-shadow compares argument 0 (file) (spec.lsmhooks[0].args[0]), and the case does not say it; say it, for example "args: [ … ]", or write unknown',
      'x.test.yaml:11:11: RepeatedName: cases[3].name: there is another case "c"; say what is different about it',
      'x.test.yaml:13:14: NotRead: cases[3].returns: the policy does not watch what this hook returns; it would need "return: true"',
      'x.test.yaml:12:12: BadTestValue: cases[3].args[0]: 5 is no value of type file; it is a text: put it in quotes, "5"',
      'x.test.yaml:14:24: BadExpectation: cases[3].expect.events[0]: "other" is no policy of this test with this hook: it can never send the event; this hook is in deny-shadow',
      'x.test.yaml:16:11: NoSuchHook: cases[4].hook: "spec.lsmhooks[1]" is no hook of the policies; did you mean "spec.lsmhooks[0]"?',
    ]);
  });

  it('is wrong where a field is misspelt, also inside what may be several things', () => {
    expect(problemsOf('cases: [{ name: x, proces: {}, expect: allow }]')).toEqual([
      expect.stringContaining('unknown field "proces"; did you mean "process"?'),
    ]);
    expect(problemsOf('cases: [{ name: x, pod: { label: {} }, expect: allow }]')).toEqual([
      expect.stringContaining('unknown field "label"; did you mean "labels"?'),
    ]);
    expect(problemsOf('cases: [{ name: x, process: { uid: 0 }, expect: allow }]')).toEqual([
      expect.stringContaining('unknown field "uid"'),
    ]);
    expect(problemsOf('cases: [{ name: x, expect: { verdict: [] } }]')).toEqual([
      expect.stringContaining('WrongType: cases[0].expect.verdict: must be a text, not a list'),
    ]);
    expect(problemsOf('cases: [{ name: x, pod: [a], expect: allow }]')).toEqual([
      expect.stringContaining('WrongType: cases[0].pod: must be a text or an object, not a list'),
    ]);
    expect(problemsOf('cases: [{ name: x, pod: a, host: true, args: [x], expect: allow }]')).toEqual([
      expect.stringContaining('UselessField: cases[0].pod: says nothing about a process of the host'),
    ]);
  });
});

describe('the hook of a case', () => {
  const several = testedPolicy(
    policyObject({
      lists: [{ name: 'opens', type: 'syscalls', values: ['sys_open', 'sys_openat'] }],
      kprobes: [{ call: 'list:opens' }, { call: 'do_exit', syscall: false }],
      tracepoints: [{ subsystem: 'sched', event: 'sched_process_exit' }],
      uprobes: [{ path: '/bin/bash', symbols: ['readline', 'main'] }],
    }),
  );

  it('is needed where there are several, and named as the policy names it', () => {
    expect(runTestText('cases: [{ name: x, expect: allow }]', [several]).problems).toEqual([
      expect.stringContaining(
        'NoSuchHook: cases[0].hook: is required: the policies have several hooks; one of kprobe:sys_open, kprobe:sys_openat',
      ),
    ]);
    for (const hook of [
      'kprobe:sys_openat',
      'kprobe:__x64_sys_openat',
      'kprobe:do_exit',
      'tracepoint:sched/sched_process_exit',
      'uprobe:/bin/bash:main',
      'spec.kprobes[1]',
      'spec.tracepoints[0]',
    ]) {
      expect([hook, runTestText(`cases: [{ name: x, hook: "${hook}", expect: event }]`, [several]).problems]).toEqual([hook, []]);
    }
  });

  it('can be any function that a generated list stands for', () => {
    const generated = testedPolicy(
      policyObject({
        lists: [{ name: 'vfs', type: 'generated_ftrace', pattern: '^vfs_' }],
        kprobes: [{ call: 'list:vfs', syscall: false }],
      }),
    );
    expect(failuresOf('cases: [{ name: x, hook: kprobe:vfs_read, expect: event }]', [generated])).toEqual([]);
    expect(runTestText('cases: [{ name: x, hook: kprobe:do_exit, expect: event }]', [generated]).problems).toHaveLength(1);
  });
});

describe('what is watched at return', () => {
  const returning = testedPolicy(
    policyObject({
      kprobes: [
        {
          call: 'sys_openat',
          return: true,
          returnArg: { index: 0, type: 'int' },
          args: [{ index: 1, type: 'string' }],
          selectors: [{ matchReturnArgs: [{ index: 0, operator: 'LT', values: ['0'] }] }],
        },
      ],
    }),
  );

  it('sends its event when the return fits', () => {
    const text = `
cases:
  - { name: fails, args: { 1: /x }, returns: -13, expect: event }
  - { name: works, args: { 1: /x }, returns: 3, expect: nothing }
`;
    expect(failuresOf(text, [returning])).toEqual([]);
  });

  it('must be said', () => {
    expect(runTestText('cases: [{ name: x, args: { 1: /x }, expect: event }]', [returning]).problems).toEqual([
      expect.stringContaining('NotGiven: cases[0].returns: test compares the return value'),
    ]);
  });
});

it('what nobody knows of a pod yet is refused, because it decides nothing', () => {
  const policy = testedPolicy(lsmPolicy({}, { podSelector: { matchLabels: { app: 'web' } } }));
  const problems = (pod: string): readonly string[] =>
    runTestText(`{ pod: { labels: { app: web } }, cases: [{ name: x, args: [/a], pod: ${pod}, expect: nothing }] }`, [policy]).problems;
  expect(problems('{ state: pending, labels: { app: web } }')).toEqual([
    expect.stringContaining('UselessField: cases[0].pod.labels: is not known where the pod is pending; leave out labels or state'),
  ]);
  expect(problems('{ state: unknown, namespace: a }')).toEqual([expect.stringContaining('cases[0].pod.namespace')]);
  expect(problems('{ state: pending, namespace: a }')).toEqual([]);
});

describe('the action of an event', () => {
  it('is a kill before a denial, else the last that was done, and monitor mode does nothing of either', () => {
    const of = (...names: readonly object[]) => testedPolicy(lsmPolicy({ matchActions: names }));
    const deny = { action: 'Override', argError: -1 };
    const expecting = (action: string, more = ''): string =>
      `cases: [{ name: x, args: [/a]${more}, expect: { events: [{ policy: test, action: ${action} }] } }]`;
    expect(failuresOf(expecting('sigkill'), [of({ action: 'Sigkill' }, deny)])).toEqual([]);
    expect(failuresOf(expecting('override'), [of(deny, { action: 'Post' })])).toEqual([]);
    expect(failuresOf(expecting('signal'), [of({ action: 'Signal', argSig: 10 })])).toEqual([]);
    expect(failuresOf(expecting('post', ', mode: monitor'), [of(deny)])).toEqual([]);
    expect(failuresOf(expecting('post', ', process: { exempt: true }'), [of(deny)])).toEqual([]);
  });
});

describe('the enforcer', () => {
  it('denies in the words of a test as any denial does', () => {
    const enforcing = testedPolicy(
      policyObject({
        enforcers: [{ calls: ['sys_swapoff'] }],
        tracepoints: [
          {
            subsystem: 'raw_syscalls',
            event: 'sys_enter',
            args: [{ index: 4, type: 'syscall64', label: 'id' }],
            selectors: [
              {
                matchArgs: [{ index: 4, operator: 'Equal', values: ['168'] }],
                matchActions: [{ action: 'NotifyEnforcer', argError: -1, argSig: 9 }],
              },
            ],
          },
        ],
      }),
    );
    const text = `
cases:
  - { name: denied, args: { id: 168 }, expect: deny EPERM + kill }
  - { name: monitored, args: { id: 168 }, mode: monitor, expect: would deny EPERM + kill }
  - { name: exempt, args: { id: 168 }, process: { exempt: true }, expect: allow }
  - { name: other, args: { id: sys_read }, expect: nothing }
`;
    expect(failuresOf(text, [enforcing])).toEqual([]);
  });
});
