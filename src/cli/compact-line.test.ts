import { expect, test } from 'vitest';
import type { AgentEvent, EventProcess } from '../nodeagent/events/event.ts';
import { compactLine } from './compact-line.ts';

const process: EventProcess = {
  exec_id: 'x',
  pid: 1,
  uid: 0,
  binary: '/bin/sh',
  arguments: '-c "echo hi"',
  flags: 'execve',
  start_time: '',
  tid: 1,
  pod: { namespace: 'default', name: 'test-pod' },
};
const host: EventProcess = { exec_id: 'x', pid: 7, uid: 0, binary: '/usr/bin/cat', flags: 'procFS', start_time: '', tid: 7 };
const envelope = { node_name: 'node-6-1', time: '2026-01-01T00:00:00.000000000Z' };
const line = (event: AgentEvent): string => compactLine(event, { color: false });
const kprobe = { function_name: 'security_file_open', args: [{ file_arg: { path: '/etc/passwd' } }], policy_name: 'block-etc-writes' };

test('a kill is shown as the tour prints it', () => {
  expect(line({ ...envelope, process_kprobe: { process, ...kprobe, action: 'KPROBE_ACTION_SIGKILL' } })).toBe(
    '🔴 SIGKILL default/test-pod /bin/sh /etc/passwd (block-etc-writes)',
  );
});

test('a denied call names the action, also for LSM hooks', () => {
  const lsm = { process, function_name: 'file_open', args: kprobe.args, policy_name: 'p', action: 'KPROBE_ACTION_OVERRIDE' as const };
  expect(line({ ...envelope, process_lsm: lsm })).toBe('🔴 OVERRIDE default/test-pod /bin/sh /etc/passwd (p)');
});

test('a policy in monitor mode says what it would have done', () => {
  const event = { process, ...kprobe, action: 'KPROBE_ACTION_POST' as const, tags: ['palisade.dev/would:SIGKILL'] };
  expect(line({ ...envelope, process_kprobe: event })).toContain('🟡 would SIGKILL default/test-pod');
});

test('exec, exit and processes outside pods look as with upstream', () => {
  expect(line({ ...envelope, process_exec: { process } })).toBe('🚀 process default/test-pod /bin/sh -c "echo hi"');
  expect(line({ ...envelope, process_exit: { process: host, signal: 'SIGKILL', time: '' } })).toBe(
    '💥 exit    node-6-1 /usr/bin/cat SIGKILL',
  );
});

test('an observed exec shows its first argument', () => {
  const event = {
    process,
    function_name: '__x64_sys_execve',
    args: [{ string_arg: '/bin/nc' }],
    policy_name: 'observe',
    action: 'KPROBE_ACTION_POST' as const,
  };
  expect(line({ ...envelope, process_kprobe: event })).toBe('❓ syscall default/test-pod /bin/sh __x64_sys_execve /bin/nc (observe)');
});

test('a name with control characters cannot move the cursor', () => {
  const event = { process, ...kprobe, args: [{ file_arg: { path: '/tmp/\u001b[2Jx' } }], action: 'KPROBE_ACTION_SIGKILL' as const };
  const shown = line({ ...envelope, process_kprobe: event });
  expect(shown).not.toContain('\u001b');
  expect(shown).toContain('\\u001b');
});

test('an event of a kind that this version does not know is shown as it came, and stops nobody', () => {
  const event: AgentEvent = JSON.parse(JSON.stringify({ ...envelope, process_magic: { name: '\u001b[2J\u009b' } }));
  expect(line(event)).toMatch(/^❔ \{.*"process_magic":\{"name":"\\u001b\[2J\\u009b"\}/);
  const lie: AgentEvent = JSON.parse(JSON.stringify({ ...envelope, process_lsm: 5 }));
  expect(line(lie)).toContain('"process_lsm":5');
});
