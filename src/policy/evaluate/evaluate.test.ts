import { describe, expect, it } from 'vitest';
import { compiled, lsmPolicy, policyObject } from '../testing/policies.ts';
import { combine, evaluate } from './evaluate.ts';
import type { ArgValue, HookCall, ProcessFacts } from './event.ts';

const none = { uts: 0, ipc: 0, mnt: 4, pid: 0, pid_for_children: 0, net: 0, time: 0, time_for_children: 0, cgroup: 0, user: 0 };
const someone: ProcessFacts = {
  binary: Buffer.from('/bin/sh'),
  namespaces: none,
  hostNamespaces: none,
  capabilities: { effective: 1n << 21n, permitted: 0n, inheritable: 0n },
  inHostUserNamespace: true,
  workload: { kind: 'pod', namespace: 'default', labels: { app: 'web' } },
  exempt: false,
};
const bytes = (text: string): ArgValue => ({ kind: 'bytes', value: Buffer.from(text) });
const opens = (path: string, process: Partial<ProcessFacts> = {}): HookCall => ({
  args: [bytes(path)],
  process: { ...someone, ...process },
});
const unreadable: HookCall = { args: [{ kind: 'unknown' }], process: someone };

const etc = [{ index: 0, operator: 'Prefix', values: ['/etc/'] }];
const deny = { action: 'Override', argError: -1 };
const kill = { action: 'Sigkill' };

function verdict(object: Record<string, unknown>, call: HookCall, mode: 'enforce' | 'monitor' = 'enforce') {
  const { plan } = compiled(object);
  const [hook] = plan.hooks;
  if (hook === undefined) {
    throw new Error('the plan has no hook');
  }
  return evaluate(plan, hook, mode, call);
}

describe('selectors', () => {
  it('the first one that matches acts, later ones are not looked at', () => {
    const object = policyObject({
      lsmhooks: [
        {
          hook: 'file_open',
          args: [{ index: 0, type: 'file' }],
          selectors: [
            { matchArgs: [{ index: 0, operator: 'Equal', values: ['/etc/hosts'] }], matchActions: [{ action: 'NoPost' }] },
            { matchArgs: etc, matchActions: [kill] },
          ],
        },
      ],
    });
    expect(verdict(object, opens('/etc/hosts'))).toMatchObject({ selector: 0, kill: false, post: false });
    expect(verdict(object, opens('/etc/passwd'))).toMatchObject({ selector: 1, kill: true, post: true });
    expect(verdict(object, opens('/tmp/x'))).toMatchObject({ selector: null, post: false });
  });

  it.each([
    ['Equal', ['/etc/a', '/etc/b'], '/etc/b', true],
    ['NotEqual', ['/etc/a', '/etc/b'], '/etc/b', false],
    ['Prefix', ['/etc/'], '/etc', false],
    ['Prefix', ['/etc/'], '/etc/', true],
    ['NotPrefix', ['/etc/', '/var/'], '/var/x', false],
    ['Postfix', ['.conf'], '/a.conf', true],
    ['Postfix', ['.conf'], 'conf', false],
    ['NotPostfix', ['.conf'], '/a.txt', true],
  ])('%s %j on %s: %s', (operator, values, path, matches) => {
    expect(verdict(lsmPolicy({ matchArgs: [{ index: 0, operator, values }] }), opens(path)).selector).toBe(matches ? 0 : null);
  });

  it('NotIn on capabilities holds if none of them is there', () => {
    const object = lsmPolicy({ matchCapabilities: [{ operator: 'NotIn', values: ['CAP_SYS_ADMIN', 'CAP_BPF'] }] });
    expect(verdict(object, opens('/x')).selector).toBeNull();
    expect(verdict(object, opens('/x', { capabilities: { ...someone.capabilities, effective: 0n } })).selector).toBe(0);
  });

  it('capabilities of a namespace do not count for a task in the user namespace of the host', () => {
    const object = (operator: string) =>
      lsmPolicy({ matchCapabilities: [{ operator, isNamespaceCapability: true, values: ['CAP_SYS_ADMIN'] }] });
    expect(verdict(object('In'), opens('/x')).selector).toBeNull();
    expect(verdict(object('In'), opens('/x', { inHostUserNamespace: false })).selector).toBe(0);
    // Upstream's NotIn is about tasks in another user namespace too.
    expect(verdict(object('NotIn'), opens('/x')).selector).toBeNull();
    const inside = { inHostUserNamespace: false, namespaces: { ...none, user: 7 } };
    expect(verdict(object('NotIn'), opens('/x', inside)).selector).toBeNull();
    const powerless = { effective: 0n, permitted: 0n, inheritable: 0n };
    expect(verdict(object('NotIn'), opens('/x', { ...inside, capabilities: powerless })).selector).toBe(0);
  });

  it('host_ns is the namespace of pid 1', () => {
    const object = lsmPolicy({ matchNamespaces: [{ namespace: 'Mnt', operator: 'NotIn', values: ['host_ns'] }] });
    expect(verdict(object, opens('/x')).selector).toBeNull();
    expect(verdict(object, opens('/x', { namespaces: { ...none, mnt: 5 } })).selector).toBe(0);
  });
});

describe('policies about pods', () => {
  const notKubeSystem = lsmPolicy({
    matchNamespaces: [{ namespace: 'Pod', operator: 'NotIn', values: ['kube-system'] }],
    matchActions: [kill],
  });

  it('never touch a process of the host, for In and NotIn alike', () => {
    expect(verdict(notKubeSystem, opens('/etc/x', { workload: { kind: 'host' } })).selector).toBeNull();
    expect(verdict(notKubeSystem, opens('/etc/x', { workload: { kind: 'unknown' } })).selector).toBeNull();
    expect(verdict(notKubeSystem, opens('/etc/x')).kill).toBe(true);
  });

  it('wait for the identity of a new container, unless a cluster policy says apply', () => {
    const pending = opens('/etc/x', { workload: { kind: 'pending', namespace: null } });
    const apply = { options: [{ name: 'palisade.dev/on-pending', value: 'apply' }] };
    const selector = { matchNamespaces: [{ namespace: 'Pod', operator: 'In', values: ['default'] }], matchActions: [kill] };
    expect(verdict(lsmPolicy(selector), pending).selector).toBeNull();
    expect(verdict(lsmPolicy(selector, apply), pending).kill).toBe(true);
    expect(verdict(lsmPolicy({ ...selector, matchActions: [] }, apply), pending).selector).toBeNull();
  });

  it('act on a new container whose namespace is known, if nothing else of it matters', () => {
    const inTeam = opens('/etc/x', { workload: { kind: 'pending', namespace: 'team-a' } });
    const elsewhere = opens('/etc/x', { workload: { kind: 'pending', namespace: 'team-b' } });
    const whole = policyObject({ lsmhooks: [{ hook: 'file_open' }] }, 'TracingPolicyNamespaced');
    const labelled = policyObject(
      { lsmhooks: [{ hook: 'file_open' }], podSelector: { matchLabels: { app: 'web' } } },
      'TracingPolicyNamespaced',
    );
    expect([verdict(whole, inTeam).selector, verdict(whole, elsewhere).selector, verdict(labelled, inTeam).selector]).toEqual([
      0,
      null,
      null,
    ]);
  });
});

describe('values that cannot be read', () => {
  it('match for a deny, so that nobody evades it, and for nothing else', () => {
    expect(verdict(lsmPolicy({ matchArgs: etc, matchActions: [deny] }), unreadable)).toMatchObject({ errno: -1, byUnknown: true });
    expect(verdict(lsmPolicy({ matchArgs: etc, matchActions: [kill] }), unreadable).selector).toBeNull();
    expect(verdict(lsmPolicy({ matchArgs: etc }), unreadable).selector).toBeNull();
  });

  it('never lead to a kill by a selector that denies too: the deny acts, the kill is suppressed and told', () => {
    const object = lsmPolicy({ matchArgs: etc, matchActions: [deny, kill] });
    expect(verdict(object, unreadable)).toMatchObject({ errno: -1, kill: false, killSuppressed: true });
    expect(verdict(object, opens('/etc/x'))).toMatchObject({ errno: -1, kill: true, killSuppressed: false });
    expect(verdict(object, unreadable, 'monitor')).toMatchObject({ wouldDeny: true, wouldKill: false, killSuppressed: false });
    const exempt = { ...unreadable, process: { ...someone, exempt: true } };
    expect(verdict(object, exempt)).toMatchObject({ errno: null, killSuppressed: false });
  });

  it('do as the policy says, if it says', () => {
    const option = (value: string) => ({ options: [{ name: 'palisade.dev/on-unknown', value }] });
    expect(verdict(lsmPolicy({ matchArgs: etc, matchActions: [deny] }, option('nomatch')), unreadable).selector).toBeNull();
    expect(verdict(lsmPolicy({ matchArgs: etc, matchActions: [kill] }, option('match')), unreadable).kill).toBe(true);
  });

  it('do not save a call that another filter of the selector refuses', () => {
    const object = lsmPolicy({ matchArgs: etc, matchBinaries: [{ operator: 'In', values: ['/bin/nc'] }], matchActions: [deny] });
    expect(verdict(object, unreadable).selector).toBeNull();
  });

  it('a negated filter on one is unknown as well', () => {
    const object = lsmPolicy({ matchArgs: [{ index: 0, operator: 'NotPrefix', values: ['/tmp/'] }], matchActions: [deny] });
    expect(verdict(object, unreadable)).toMatchObject({ errno: -1, byUnknown: true });
  });

  it('a null pointer is an empty string, and an unknown file', () => {
    const call: HookCall = { args: [{ kind: 'null' }], process: someone };
    const object = (type: string) =>
      policyObject({
        lsmhooks: [
          { hook: 'a', args: [{ index: 0, type }], selectors: [{ matchArgs: [{ index: 0, operator: 'NotEqual', values: ['x'] }] }] },
        ],
      });
    expect([verdict(object('string'), call).selector, verdict(object('file'), call).selector]).toEqual([0, null]);
  });
});

describe('acting', () => {
  it('monitor mode does nothing, and says what it would have done', () => {
    const object = lsmPolicy({ matchActions: [deny, kill] });
    expect(verdict(object, opens('/x'), 'monitor')).toMatchObject({
      errno: null,
      kill: false,
      wouldDeny: true,
      wouldKill: true,
      post: true,
    });
  });

  it('exempt processes are watched, not stopped', () => {
    expect(verdict(lsmPolicy({ matchActions: [deny, kill] }), opens('/x', { exempt: true }))).toMatchObject({
      selector: 0,
      post: true,
      errno: null,
      kill: false,
    });
  });

  it('nothing would be done to them in enforce mode, and monitor mode says nothing else', () => {
    const object = lsmPolicy({ matchActions: [deny, kill] });
    expect(verdict(object, opens('/x'), 'monitor')).toMatchObject({ wouldDeny: true, wouldKill: true });
    const exempt = verdict(object, opens('/x', { exempt: true }), 'monitor');
    expect(exempt).toMatchObject({ selector: 0, post: true, wouldDeny: false, wouldKill: false });
  });

  it('the runtime on its way into a container is not stopped by what nobody can name, and by all else it is', () => {
    const object = lsmPolicy({ matchArgs: etc, matchActions: [deny, kill] });
    const process: ProcessFacts = { ...someone, isRuntimeInit: true };
    expect(verdict(object, { ...unreadable, process })).toMatchObject({
      selector: 0,
      byUnknown: true,
      post: true,
      errno: null,
      kill: false,
    });
    expect(verdict(object, opens('/etc/shadow', process))).toMatchObject({ errno: -1, kill: true });
  });

  it('of several policies on a hook all act, and the strictest error wins: EPERM, EACCES, then by number', () => {
    const denies = (argError: number) => verdict(lsmPolicy({ matchActions: [{ action: 'Override', argError }] }), opens('/x'));
    expect(combine([denies(-5), denies(-13), denies(-2)])).toEqual({ errno: -13, kill: false, signal: null });
    expect(combine([denies(-13), denies(-1), verdict(lsmPolicy({ matchActions: [kill] }), opens('/x'))])).toEqual({
      errno: -1,
      kill: true,
      signal: null,
    });
    expect(combine([])).toEqual({ errno: null, kill: false, signal: null });
  });
});
