import { describe, expect, it } from 'vitest';
import { lsmPolicy, policyObject } from '../testing/policies.ts';
import { runTestText, testedPolicy } from '../testing/policy-tests.ts';
import { type SelectorTrace, traceOf } from './match-trace.ts';
import type { TestedPolicy } from './hook-names.ts';

function trace(policy: TestedPolicy, words: string): readonly SelectorTrace[] {
  const { problems, cases } = runTestText(`cases: [{ name: x, ${words}, expect: allow }]`, [policy]);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return cases.flatMap(({ result }) => result.hooks.flatMap(traceOf));
}

const deny = { matchActions: [{ action: 'Override', argError: -1 }] };
const file = (operator: string, ...values: readonly string[]): object => ({ matchArgs: [{ index: 0, operator, values }] });

describe('why a selector matched, or did not', () => {
  it('names the filter that said no, and what it saw', () => {
    const policy = testedPolicy(lsmPolicy({ ...file('Prefix', '/etc/'), ...deny }));
    expect(trace(policy, 'args: [/tmp/x]')).toEqual([
      {
        path: 'spec.lsmhooks[0].selectors[0]',
        matched: 'no',
        reasons: [{ answer: 'no', filter: expect.stringContaining('begins with "/etc/"'), actual: '"/tmp/x"' }],
      },
    ]);
  });

  it('stops at the selector that matched: later ones are not looked at', () => {
    const selectors = [{ ...file('Equal', '/a') }, { ...file('Equal', '/b'), ...deny }, deny];
    const policy = testedPolicy(policyObject({ lsmhooks: [{ hook: 'file_open', args: [{ index: 0, type: 'file' }], selectors }] }));
    expect(trace(policy, 'args: [/b]').map(({ matched }) => matched)).toEqual(['no', 'yes']);
    expect(trace(policy, 'args: [/c]').map(({ matched, reasons }) => [matched, reasons.length])).toEqual([
      ['no', 1],
      ['no', 1],
      ['yes', 0],
    ]);
  });

  it('says when only something unknown decided', () => {
    const denies = testedPolicy(lsmPolicy({ ...file('Equal', '/a'), ...deny }));
    expect(trace(denies, 'args: [unknown]')).toMatchObject([
      { matched: 'by unknown', reasons: [{ answer: 'unknown', actual: 'unknown' }] },
    ]);
    const observes = testedPolicy(lsmPolicy(file('Equal', '/a')));
    expect(trace(observes, 'args: [unknown]')).toMatchObject([{ matched: 'no', reasons: [{ answer: 'unknown' }] }]);
  });

  it('says whom the policy is about if the process is none of them', () => {
    const policy = testedPolicy(lsmPolicy(deny, { podSelector: { matchLabels: { app: 'web' } } }));
    expect(trace(policy, 'args: [/x], host: true')).toMatchObject([
      { matched: 'no', reasons: [{ filter: expect.stringContaining('app = "web"'), actual: 'a process of the host' }] },
    ]);
    expect(trace(policy, 'args: [/x], pod: { labels: { app: db } }')).toMatchObject([
      { reasons: [{ actual: expect.stringContaining('a pod of namespace "default" with app=db') }] },
    ]);
  });

  it('says what was asked of the return', () => {
    const hook = {
      call: 'sys_openat',
      syscall: true,
      return: true,
      args: [{ index: 1, type: 'string' }],
      returnArg: { index: 0, type: 'int' },
      selectors: [{ matchReturnArgs: [{ index: 0, operator: 'LT', values: ['0'] }] }],
    };
    const policy = testedPolicy(policyObject({ kprobes: [hook] }));
    const path = 'spec.kprobes[0].selectors[0] at return';
    const returning = (value: number): readonly SelectorTrace[] => trace(policy, `args: { 1: /x }, returns: ${value}`).slice(1);
    expect(returning(3)).toMatchObject([{ path, matched: 'no', reasons: [{ answer: 'no', actual: '3' }] }]);
    expect(returning(-3)).toMatchObject([{ path, matched: 'yes', reasons: [{ answer: 'yes', actual: '-3' }] }]);
  });

  it('shows ids and executables of those whom a filter follows, each once', () => {
    const selector = {
      matchPIDs: [{ operator: 'NotIn', values: [5], isNamespacePID: true }],
      matchParentBinaries: [{ operator: 'NotIn', values: ['/bin/x'], followChildren: true }],
    };
    const words = 'host: true, process: { parent: /bin/sh, ancestors: [/bin/bash] }';
    const actual = trace(testedPolicy(lsmPolicy(selector)), words).flatMap(({ reasons }) => reasons.map((one) => one.actual));
    expect(actual).toEqual(['"/bin/sh", child of "/bin/bash"', '0 (on the host)']);
  });

  it('shows processes and sockets as people write them', () => {
    const policy = testedPolicy(
      policyObject({
        kprobes: [
          {
            call: 'tcp_connect',
            syscall: false,
            args: [{ index: 0, type: 'sock' }],
            selectors: [
              {
                matchBinaries: [{ operator: 'NotIn', values: ['/bin/a'], followChildren: true }],
                matchArgs: [{ index: 0, operator: 'DPort', values: ['443'] }],
                matchCapabilities: [{ type: 'Effective', operator: 'In', values: ['CAP_NET_RAW'] }],
                matchNamespaces: [{ namespace: 'Net', operator: 'In', values: ['host_ns'] }],
                matchPIDs: [{ operator: 'NotIn', values: [1] }],
              },
            ],
          },
        ],
      }),
    );
    const words = 'args: [{ daddr: 10.0.0.1, dport: 443 }], process: { capabilities: [CAP_NET_RAW], namespaces: { net: host } }';
    const actual = trace(policy, words).flatMap(({ reasons }) => reasons.map((one) => one.actual));
    expect(actual.toSorted()).toEqual(
      [
        '"/usr/bin/app", child of "/usr/bin/containerd-shim-runc-v2"',
        '4242',
        "4026531840 (the host's)",
        'CAP_NET_RAW',
        'AF_INET IPPROTO_TCP from 0.0.0.0 port 0 to 10.0.0.1 port 443',
      ].toSorted(),
    );
  });
});
