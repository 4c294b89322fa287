import { describe, expect, it } from 'vitest';
import { compiled, kprobePolicy, policyObject } from '../testing/policies.ts';
import { evaluateEnforcer, notificationAfter } from './enforcer.ts';
import { type PolicyVerdict, combine, evaluate, evaluateReturn } from './evaluate.ts';
import type { ArgValue, HookCall } from './event.ts';
import { type RateState, limitEvents } from './rate-limit.ts';
import { callBy, someone } from './testing/processes.ts';

const int = (value: bigint): ArgValue => ({ kind: 'int', value });
const path = (text: string): ArgValue => ({ kind: 'bytes', value: Buffer.from(text) });

function firstHook(object: Record<string, unknown>) {
  const { plan } = compiled(object);
  const [hook] = plan.hooks;
  if (hook === undefined) {
    throw new Error('the plan has no hook');
  }
  return { plan, hook };
}

function verdictOf(object: Record<string, unknown>, call: HookCall, mode: 'enforce' | 'monitor' = 'enforce'): PolicyVerdict {
  const { plan, hook } = firstHook(object);
  return evaluate(plan, hook, mode, call);
}

describe('signals', () => {
  const withActions = (...matchActions: object[]) => kprobePolicy({ selectors: [{ matchActions }] });
  const term = { action: 'Signal', argSig: 15 };
  const call = callBy({}, [path('/x')]);

  it('are sent, SIGKILL instead of any other', () => {
    expect(verdictOf(withActions(term), call)).toMatchObject({ signal: 15, kill: false, post: true });
    expect(verdictOf(withActions(term, { action: 'Sigkill' }), call)).toMatchObject({ signal: null, kill: true });
    expect(verdictOf(withActions(term), call, 'monitor')).toMatchObject({ signal: null, wouldSignal: true });
    expect(verdictOf(withActions(term), callBy({ exempt: true }, [path('/x')]))).toMatchObject({ signal: null, wouldSignal: false });
  });

  it('of several policies: SIGKILL, else the smallest', () => {
    const hangUp = verdictOf(withActions({ action: 'Signal', argSig: 1 }), call);
    const terminate = verdictOf(withActions(term), call);
    expect(combine([terminate, hangUp])).toEqual({ errno: null, kill: false, signal: 1 });
    expect(combine([terminate, verdictOf(withActions({ action: 'Sigkill' }), call)])).toEqual({ errno: null, kill: true, signal: null });
  });

  it('are not sent because of a value that nobody could read, where the call is denied', () => {
    const object = kprobePolicy({
      selectors: [
        { matchArgs: [{ index: 0, operator: 'Prefix', values: ['/etc'] }], matchActions: [{ action: 'Override', argError: -1 }, term] },
      ],
    });
    expect(verdictOf(object, callBy({}, [{ kind: 'unknown' }]))).toMatchObject({ errno: -1, signal: null, killSuppressed: true });
    expect(verdictOf(object, callBy({}, [path('/etc/x')]))).toMatchObject({ errno: -1, signal: 15, killSuppressed: false });
  });
});

describe('the return of a call', () => {
  const read = (selector: object) =>
    kprobePolicy({
      call: 'vfs_read',
      args: [{ index: 0, type: 'file' }],
      return: true,
      returnArg: { index: 0, type: 'int' },
      selectors: [selector],
    });
  const failed = { matchReturnArgs: [{ index: 0, operator: 'LT', values: ['0'] }] };
  const returning = (object: Record<string, unknown>, value: ArgValue, mode: 'enforce' | 'monitor' = 'enforce') => {
    const { plan, hook } = firstHook(object);
    const call = callBy({}, [path('/etc/x'), value]);
    return evaluateReturn(plan, hook, mode, call, evaluate(plan, hook, mode, call));
  };

  it('sends the one event of both if what was returned fits', () => {
    expect(returning(read(failed), int(-13n))).toMatchObject({ selector: 0, post: true });
    expect(returning(read(failed), int(5n))).toMatchObject({ selector: null, post: false });
    expect(returning(read({}), int(5n))).toMatchObject({ post: true });
    expect(returning(read({ ...failed, matchActions: [{ action: 'NoPost' }] }), int(-13n))).toMatchObject({ selector: 0, post: false });
  });

  it('acts by matchReturnActions, and never denies', () => {
    const kill = { ...failed, matchReturnActions: [{ action: 'Sigkill' }] };
    expect(returning(read(kill), int(-1n))).toMatchObject({ kill: true, post: true });
    expect(returning(read(kill), int(-1n), 'monitor')).toMatchObject({ kill: false, wouldKill: true });
    expect(returning(read({ ...failed, matchReturnActions: [{ action: 'NoPost' }] }), int(-1n))).toMatchObject({ post: false });
  });

  it('says nothing where the entry matched nothing, or what was returned could not be read', () => {
    expect(returning(read({ ...failed, matchArgs: [{ index: 0, operator: 'Equal', values: ['/tmp'] }] }), int(-1n)).selector).toBeNull();
    expect(returning(read(failed), { kind: 'unknown' }).selector).toBeNull();
  });

  it('tracks the socket that is returned', () => {
    const object = kprobePolicy({
      call: 'sk_alloc',
      args: [],
      return: true,
      returnArg: { index: 0, type: 'sock' },
      returnArgAction: 'TrackSock',
    });
    const { plan, hook } = firstHook(object);
    const call = callBy({}, []);
    expect(evaluateReturn(plan, hook, 'enforce', call, evaluate(plan, hook, 'enforce', call)).others).toEqual([
      { type: 'track_sock', arg: 0 },
    ]);
  });
});

describe('the enforcer', () => {
  const object = policyObject({
    tracepoints: [
      {
        subsystem: 'raw_syscalls',
        event: 'sys_enter',
        args: [{ index: 4, type: 'syscall64' }],
        selectors: [
          {
            matchArgs: [{ index: 4, operator: 'InMap', values: ['list:dups'] }],
            matchActions: [{ action: 'NotifyEnforcer', argError: -1, argSig: 9 }],
          },
        ],
      },
    ],
    lists: [{ name: 'dups', type: 'syscalls', values: ['sys_dup', 'sys_dup2'] }],
    enforcers: [{ calls: ['list:dups'] }],
  });
  const dup: ArgValue = { kind: 'int', value: 32n, syscall: 'sys_dup' };

  it('denies and kills in its calls what a hook notified it of, once', () => {
    const { plan, hook } = firstHook(object);
    const { others } = evaluate(plan, hook, 'enforce', callBy({}, [dup]));
    const pending = notificationAfter(null, others);
    expect(pending).toEqual({ errno: -1, signal: 9 });
    const enforcer = plan.enforcer ?? { path: '', calls: [] };
    expect(evaluateEnforcer(enforcer, 'sys_open', 'enforce', pending, someone)).toEqual({
      verdict: { errno: null, kill: false, signal: null },
      pending,
    });
    const used = evaluateEnforcer(enforcer, 'sys_dup', 'enforce', pending, someone);
    expect(used).toEqual({ verdict: { errno: -1, kill: true, signal: null }, pending: null });
    expect(evaluateEnforcer(enforcer, 'sys_dup', 'enforce', null, someone).verdict).toEqual({ errno: null, kill: false, signal: null });
  });

  it('is not notified in monitor mode, nor of a process that is exempt', () => {
    const { plan, hook } = firstHook(object);
    expect(evaluate(plan, hook, 'monitor', callBy({}, [dup]))).toMatchObject({ selector: 0, others: [] });
    expect(evaluate(plan, hook, 'enforce', callBy({ exempt: true }, [dup]))).toMatchObject({ selector: 0, others: [] });
  });

  it('denies, and does not kill, because of a value that nobody could read', () => {
    const { plan, hook } = firstHook(object);
    expect(evaluate(plan, hook, 'enforce', callBy({}, [{ kind: 'unknown' }]))).toMatchObject({
      byUnknown: true,
      killSuppressed: true,
      others: [{ type: 'notify_enforcer', errno: -1, signal: 0 }],
    });
  });

  it('forgets what it is told to', () => {
    expect(notificationAfter({ errno: -1, signal: 0 }, [{ type: 'cleanup_enforcer' }])).toBeNull();
    expect(notificationAfter({ errno: -1, signal: 0 }, [{ type: 'notify_enforcer', errno: 0, signal: 15 }])).toEqual({
      errno: 0,
      signal: 15,
    });
  });
});

describe('rate limits', () => {
  const limited = (post: object) => kprobePolicy({ selectors: [{ matchActions: [{ action: 'Post', ...post }] }] });

  /** Which of the calls send an event. */
  function sent(object: Record<string, unknown>, calls: readonly HookCall[]): boolean[] {
    const { plan, hook } = firstHook(object);
    let state: RateState = new Map();
    return calls.map((call) => {
      const limit = limitEvents(state, hook, evaluate(plan, hook, 'enforce', call), call);
      state = limit.state;
      return limit.sends;
    });
  }
  const at = (seconds: number, file: string, pid: number, threadId = pid): HookCall => ({
    ...callBy({ pid, threadId }, [path(file)]),
    timeMs: seconds * 1000,
  });

  it('an equal event is not repeated within the time, counted from the last one that was sent', () => {
    const calls = [at(0, '/a', 1), at(59, '/a', 1), at(60, '/a', 1), at(61, '/b', 1), at(62, '/a', 2)];
    expect(sent(limited({ rateLimit: '1m' }), calls)).toEqual([true, false, true, true, true]);
  });

  it('is for a thread, a process, or all', () => {
    const calls = [at(0, '/a', 1, 1), at(1, '/a', 1, 5), at(2, '/a', 2, 2)];
    expect(sent(limited({ rateLimit: '10' }), calls)).toEqual([true, true, true]);
    expect(sent(limited({ rateLimit: '10', rateLimitScope: 'process' }), calls)).toEqual([true, false, true]);
    expect(sent(limited({ rateLimit: '10', rateLimitScope: 'global' }), calls)).toEqual([true, false, false]);
  });

  it('compares the first 40 bytes of a text', () => {
    const long = 'x'.repeat(40);
    expect(sent(limited({ rateLimit: '10' }), [at(0, `${long}a`, 1), at(1, `${long}b`, 1), at(2, 'x', 1)])).toEqual([true, false, true]);
  });

  it('knows the functions of a list apart', () => {
    const lists = [{ name: 'both', type: 'syscalls', values: ['sys_open', 'sys_dup'] }];
    const kprobe = { call: 'list:both', syscall: true, selectors: [{ matchActions: [{ action: 'Post', rateLimit: '1m' }] }] };
    const { plan } = compiled(policyObject({ lists, kprobes: [kprobe] }));
    const calls = [...plan.hooks, ...plan.hooks];
    let state: RateState = new Map();
    const sends = calls.map((hook) => {
      const call = callBy({ pid: 1 }, []);
      const limit = limitEvents(state, hook, evaluate(plan, hook, 'enforce', call), call);
      state = limit.state;
      return limit.sends;
    });
    expect(sends).toEqual([true, true, false, false]);
  });

  it('does not hold back anything else', () => {
    expect(sent(limited({}), [at(0, '/a', 1), at(0, '/a', 1)])).toEqual([true, true]);
    expect(sent(kprobePolicy({ selectors: [{ matchActions: [{ action: 'NoPost' }] }] }), [at(0, '/a', 1)])).toEqual([false]);
  });
});
