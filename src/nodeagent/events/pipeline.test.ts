import { describe, expect, test } from 'vitest';
import { readRecord } from '../../abi/record.ts';
import type { PalRecord } from '../../abi/record-types.ts';
import { PAL_ACT_SIGKILL, PAL_EF_PROCFS } from '../../abi/layout.ts';
import { buildExec, buildExit, buildHook, pathArgument, type ExecFields } from '../../abi/testing/record-builder.ts';
import { progressAfter } from '../export/checkpoint-file.ts';
import { ExportCheckpoint } from './checkpoint.ts';
import type { AgentEvent } from './event.ts';
import type { Identities, Identity } from './identities.ts';
import type { MatchMeaning, Meanings } from './meaning.ts';
import { EventPipeline, type ProcessRecord } from './pipeline.ts';
import { ProcessCache } from './process-cache.ts';
import { SequenceTracker } from './sequence-tracker.ts';

const meaning: MatchMeaning = {
  policyName: 'block-etc-writes',
  policyNamespace: null,
  policyUid: 'u1',
  mode: 'enforce',
  slotOfArg: [3],
  hook: {
    kind: 'kprobe',
    section: 'kprobes',
    index: 0,
    path: 'spec.kprobes[0]',
    target: 'security_file_open',
    syscall: false,
    message: 'no writes',
    tags: ['etc'],
    args: [{ index: 0, type: 'file', label: '' }],
    selectors: [],
  },
};
const meanings: Meanings = {
  match: (_generation, hookId, policy) => (hookId === 7 && policy === 2 ? meaning : undefined),
  policyName: () => 'block-etc-writes',
};

function setUp(identity: () => Identity = () => ({ state: 'host' })) {
  const identities: Identities = { ofCgroup: identity };
  const checkpoint = new ExportCheckpoint();
  const cache = new ProcessCache({ maxEntries: 100, lingerMs: 5000 });
  const pipeline = new EventPipeline({
    node: () => ({ nodeName: 'n1', time: { offsetNs: 0n } }),
    nowKtimeNs: () => 0n,
    arch: () => 'x86_64',
    cache,
    tracker: new SequenceTracker({ graceMs: 1000 }),
    checkpoint,
    identities: () => identities,
    meanings: () => meanings,
    limits: { recordWaitMs: 100, identityWaitMs: 5000, maxWaiting: 50 },
  });
  return { pipeline, checkpoint, cache };
}

function record(bytes: Buffer): ProcessRecord {
  const read = readRecord(bytes);
  if (!read.ok) throw new Error(read.problem.message);
  const known: PalRecord = read.record;
  if (known.kind === 'alarm' || known.kind === 'cgroup' || known.kind === 'loss') throw new Error('not a process record');
  return known;
}

const parent = { execKtimeNs: 1n, tgid: 10 };
const child = { execKtimeNs: 2n, tgid: 11 };
const exec = (fields: Partial<ExecFields> = {}): ProcessRecord =>
  record(
    buildExec({ task: { key: child, uid: 0 }, parent, path: '/bin/sh', args: ['sh', '-c', 'echo x > /etc/passwd'], seq: 1n, ...fields }),
  );
const kill = (seq = 2n): ProcessRecord =>
  record(
    buildHook({
      task: { key: child },
      seq,
      hook: 7,
      matches: [{ policy: 2, selector: 0, actions: PAL_ACT_SIGKILL }],
      args: [pathArgument(3, '/etc/passwd', 0o100644)],
    }),
  );
const events = (list: { event: AgentEvent }[]): AgentEvent[] => list.map((item) => item.event);

describe('The event pipeline', () => {
  test('shows an exec with its arguments, its parent and the words of upstream', () => {
    const { pipeline } = setUp();
    pipeline.push(
      exec({
        task: { key: parent },
        parent: { execKtimeNs: 0n, tgid: 0 },
        path: '/usr/bin/runc',
        args: ['runc'],
        flags: PAL_EF_PROCFS,
        seq: 0n,
      }),
      0,
    );
    const [event] = events(pipeline.push(exec(), 0));
    expect(event).toMatchObject({
      node_name: 'n1',
      process_exec: {
        process: { pid: 11, binary: '/bin/sh', arguments: '-c "echo x > /etc/passwd"', flags: 'execve clone', cwd: '/' },
        parent: { pid: 10, binary: '/usr/bin/runc', flags: 'procFS' },
      },
    });
    expect(Buffer.from(event !== undefined && 'process_exec' in event ? event.process_exec.process.exec_id : '', 'base64').toString()).toBe(
      'n1:2:11',
    );
  });

  test('names the ancestors of who starts and of who ends, the nearest first, as far as they are known', () => {
    const { pipeline } = setUp();
    const grandparent = { execKtimeNs: 8n, tgid: 9 };
    const unknown = { execKtimeNs: 4n, tgid: 5 };
    const walked = { flags: PAL_EF_PROCFS, seq: 0n, args: [] };
    pipeline.push(exec({ ...walked, task: { key: grandparent }, parent: unknown, path: '/usr/bin/shim' }), 0);
    pipeline.push(exec({ ...walked, task: { key: parent }, parent: grandparent, path: '/usr/bin/runc' }), 0);
    const [started] = events(pipeline.push(exec(), 0));
    expect(started).toMatchObject({
      process_exec: { parent: { binary: '/usr/bin/runc' }, ancestors: [{ pid: 9, binary: '/usr/bin/shim' }] },
    });
    const [last] = started !== undefined && 'process_exec' in started ? (started.process_exec.ancestors ?? []) : [];
    expect(Buffer.from(last?.parent_exec_id ?? '', 'base64').toString()).toBe('n1:4:5');
    expect(events(pipeline.push(kill(), 0))[0]).not.toHaveProperty('process_kprobe.ancestors');
    const exit = record(buildExit({ task: { key: child }, parent, signal: 9, seq: 3n }));
    expect(events(pipeline.push(exit, 0))).toMatchObject([{ process_exit: { ancestors: [{ binary: '/usr/bin/shim' }] } }]);
  });

  test('cuts the ancestry of a process that is nested absurdly deep', () => {
    const { pipeline } = setUp();
    const key = (depth: number) => ({ execKtimeNs: BigInt(100 + depth), tgid: 100 + depth });
    for (let depth = 1; depth <= 40; depth += 1) {
      pipeline.push(exec({ flags: PAL_EF_PROCFS, seq: 0n, task: { key: key(depth) }, parent: key(depth - 1) }), 0);
    }
    const [event] = events(pipeline.push(exec({ parent: key(40) }), 0));
    expect(event !== undefined && 'process_exec' in event ? event.process_exec.ancestors : []).toHaveLength(32);
  });

  test('turns a killing hook record into one event of the policy, in the shape of the seed', () => {
    const { pipeline } = setUp();
    pipeline.push(exec(), 0);
    expect(events(pipeline.push(kill(), 0))).toMatchObject([
      {
        process_kprobe: {
          process: { binary: '/bin/sh' },
          function_name: 'security_file_open',
          args: [{ file_arg: { path: '/etc/passwd', permission: '-rw-r--r--' } }],
          action: 'KPROBE_ACTION_SIGKILL',
          policy_name: 'block-etc-writes',
          message: 'no writes',
          tags: ['etc'],
        },
      },
    ]);
  });

  test('puts an exec before the hook event that overtook it', () => {
    const { pipeline } = setUp();
    expect(pipeline.push(kill(), 0)).toEqual([]);
    const kinds = events(pipeline.push(exec({ seq: 3n }), 50)).map((event) => Object.keys(event)[0]);
    expect(kinds).toEqual(['process_exec', 'process_kprobe']);
  });

  test('shows a hook event without its process after 100 ms rather than never', () => {
    const { pipeline } = setUp();
    pipeline.push(kill(), 0);
    expect(pipeline.tick(99)).toEqual([]);
    expect(events(pipeline.tick(100))).toMatchObject([{ process_kprobe: { process: { pid: 11, flags: 'unknown' } } }]);
    expect(pipeline.counts.withoutProcess).toBe(1);
  });

  test('keeps the events of a container until its name is known, in their order', () => {
    let identity: Identity = { state: 'pod', pod: null, containerId: 'ab', complete: false };
    const { pipeline } = setUp(() => identity);
    expect(pipeline.push(exec(), 0)).toEqual([]);
    expect(pipeline.push(kill(), 0)).toEqual([]);
    identity = { state: 'pod', pod: { namespace: 'default', name: 'p' }, containerId: 'ab', complete: true };
    const shown = events(pipeline.identitiesChanged());
    expect(shown.map((event) => Object.keys(event)[0])).toEqual(['process_exec', 'process_kprobe']);
    expect(shown[1]).toMatchObject({ process_kprobe: { process: { pod: { namespace: 'default', name: 'p' }, docker: 'ab' } } });
  });

  test('says how a process ended, and forgets it a while later', () => {
    const { pipeline, cache } = setUp();
    pipeline.push(exec(), 0);
    const exit = record(buildExit({ task: { key: child }, parent, signal: 9, seq: 2n }));
    expect(events(pipeline.push(exit, 0))).toMatchObject([{ process_exit: { signal: 'SIGKILL', process: { binary: '/bin/sh' } } }]);
    pipeline.tick(6000);
    expect(cache.size).toBe(0);
  });

  test('writes a loss line when numbers are missing, but not when they only came late', () => {
    const { pipeline } = setUp();
    pipeline.push(exec({ seq: 1n }), 0);
    pipeline.push(kill(5n), 0);
    pipeline.push(kill(3n), 10);
    expect(events(pipeline.tick(1100))).toMatchObject([{ palisade_loss: { reason: 'SequenceGap', count: '2', ring: 'critical', cpu: 0 } }]);
    expect(pipeline.tick(9999)).toEqual([]);
  });

  test('counts matches that mean nothing to it in a loss line', () => {
    const { pipeline } = setUp();
    pipeline.push(exec(), 0);
    const strange = record(
      buildHook({ task: { key: child }, seq: 2n, hook: 99, matches: [{ policy: 2, selector: 0, actions: PAL_ACT_SIGKILL }] }),
    );
    expect(pipeline.push(strange, 0)).toEqual([]);
    expect(events(pipeline.tick(10))).toMatchObject([{ palisade_loss: { reason: 'UnknownPolicy', count: '1' } }]);
    expect(pipeline.tick(20)).toEqual([]);
  });

  test('moves the checkpoint only over records whose lines were written', () => {
    const { pipeline, checkpoint } = setUp();
    const first = pipeline.push(exec({ seq: 1n }), 0, 0);
    pipeline.push(kill(2n), 0, 300);
    expect(checkpoint.progress().get('critical-0')).toEqual({ high: 2n, open: [{ from: 1n, to: 2n }] });
    expect(checkpoint.doneBytes(500)).toBe(0);
    for (const item of first) if (item.origin !== null) checkpoint.written(item.origin);
    expect(checkpoint.progress().get('critical-0')).toEqual({ high: 2n, open: [{ from: 2n, to: 2n }] });
    expect(checkpoint.doneBytes(500)).toBe(300);
  });

  test('takes a record that comes again for the one it is, and acknowledges it when that one is written', () => {
    const { pipeline, checkpoint } = setUp();
    const lines = [...pipeline.push(exec({ seq: 1n }), 0, 0), ...pipeline.push(kill(2n), 0, 300)];
    pipeline.restart();
    expect(checkpoint.doneBytes(0)).toBe(0);
    expect(pipeline.push(exec({ seq: 1n }), 0, 0)).toEqual([]);
    expect(pipeline.push(kill(2n), 0, 300)).toEqual([]);
    expect(pipeline.counts.again).toBe(2);
    expect(checkpoint.doneBytes(500)).toBe(0);
    for (const item of lines) if (item.origin !== null) checkpoint.written(item.origin);
    expect(checkpoint.doneBytes(500)).toBe(500);
  });

  test('takes both records of a call with many matches, though another record of that CPU stands between them', () => {
    const { pipeline } = setUp();
    pipeline.push(exec(), 0);
    // An interrupt nested between the two, or wrote before the first of them.
    expect([2n, 3n, 4n, 6n, 5n, 7n].map((seq) => events(pipeline.push(kill(seq), 0)).length)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(pipeline.counts.again).toBe(0);
    expect(pipeline.tick(1100)).toEqual([]);
  });

  test('takes the second record of a call after a reconnection between the two, and the first one not again', () => {
    const { pipeline } = setUp();
    pipeline.push(exec(), 0);
    expect(pipeline.push(kill(2n), 0)).toHaveLength(1);
    pipeline.restart();
    expect([1n, 2n].map((seq) => pipeline.push(seq === 1n ? exec() : kill(seq), 1))).toEqual([[], []]);
    expect(pipeline.push(kill(3n), 1)).toHaveLength(1);
    expect(pipeline.tick(1100)).toEqual([]);
  });

  test('takes the second record of a call when the agent before it died with only the first one exported', () => {
    const { pipeline } = setUp();
    const [first, second] = [2n, 3n].map((seq) => ({ stream: 'critical-0', seq }));
    if (first === undefined || second === undefined) throw new Error('no origins');
    const streams = new Map([['critical-0', { high: 3n, open: [{ from: 2n, to: 3n }] }]]);
    pipeline.resume(progressAfter({ boot: 'b', rings: 1, file: { inode: '1', bytes: 0 }, streams, batch: [first, second] }, 1));
    pipeline.push(exec({ flags: PAL_EF_PROCFS, seq: 0n }), 0);
    expect(pipeline.push(kill(2n), 0)).toEqual([]);
    expect(pipeline.push(kill(3n), 0)).toHaveLength(1);
  });

  test('says what an agent before it owed and the loader does not have any more', () => {
    const { pipeline, checkpoint } = setUp();
    pipeline.resume(new Map([['critical-0', { high: 5n, open: [{ from: 2n, to: 4n }] }]]));
    pipeline.push(exec({ seq: 3n }), 0);
    expect(checkpoint.progress().get('critical-0')?.open).toEqual([
      { from: 2n, to: 2n },
      { from: 4n, to: 4n },
      { from: 3n, to: 3n },
    ]);
    pipeline.push(kill(6n), 0);
    expect(events(pipeline.tick(1100))).toContainEqual(
      expect.objectContaining({ palisade_loss: { reason: 'AgentRestart', count: '2', ring: 'critical', cpu: 0 } }),
    );
    expect(checkpoint.progress().get('critical-0')?.open).toEqual([
      { from: 3n, to: 3n },
      { from: 6n, to: 6n },
    ]);
  });
});
