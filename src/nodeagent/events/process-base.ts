/** From kernel records to the part of an event's process that never changes. */
import {
  PAL_EF_ERROR_ARGS,
  PAL_EF_ERROR_CWD,
  PAL_EF_ERROR_PATH,
  PAL_EF_LATE,
  PAL_EF_PROCFS,
  PAL_EF_ROOT_CWD,
  PAL_EF_TRUNC_ARGS,
} from '../../abi/layout.ts';
import type { CloneRecord, ExecRecord, RecordTask } from '../../abi/record-types.ts';
import type { EventProcess } from './event.ts';
import { execId, isNoKey } from './exec-id.ts';
import { wallTimeText, type KernelTime } from './kernel-time.ts';
import type { ProcessEntry } from './process-cache.ts';

export type NodeContext = { readonly nodeName: string; readonly time: KernelTime };

const FLAG_WORDS: readonly (readonly [number, string])[] = [
  [PAL_EF_PROCFS, 'procFS'],
  [PAL_EF_TRUNC_ARGS, 'truncArgs'],
  [PAL_EF_ERROR_ARGS, 'errorArgs'],
  [PAL_EF_ERROR_PATH, 'errorFilename'],
  [PAL_EF_ERROR_CWD, 'errorCWD'],
  [PAL_EF_ROOT_CWD, 'rootcwd'],
  [PAL_EF_LATE, 'late'],
];

type NewEntry = Omit<ProcessEntry, 'refs' | 'endedAtMs'>;

/** `isClone`: the image that was replaced had been made by a clone and had not exec'd itself. */
export function entryOfExec(record: ExecRecord, replaced: ProcessEntry | undefined, node: NodeContext): NewEntry {
  const { task } = record;
  const parent = isNoKey(record.parent) ? null : record.parent;
  const cwd = record.cwd.toString('utf8');
  const args = argumentsText(record.args);
  const base: EventProcess = {
    exec_id: execId(node.nodeName, task.key),
    pid: task.key.tgid,
    uid: record.credentials.uid,
    ...(cwd === '' ? {} : { cwd }),
    binary: record.path.toString('utf8'),
    ...(args === '' ? {} : { arguments: args }),
    flags: execFlags(record.flags, replaced),
    start_time: wallTimeText(node.time, task.key.execKtimeNs),
    auid: record.auditUid,
    ...(parent === null ? {} : { parent_exec_id: execId(node.nodeName, parent) }),
    tid: task.tid,
  };
  return { key: task.key, parent, base, cgroupId: task.cgroupId };
}

/** A forked process is its parent's image until it execs. Without a known parent the binary is unknown, and `flags` says so. */
export function entryOfClone(record: CloneRecord, parent: ProcessEntry | undefined, node: NodeContext): NewEntry {
  const { task } = record;
  const base: EventProcess = {
    exec_id: execId(node.nodeName, task.key),
    pid: task.key.tgid,
    uid: task.uid,
    ...(parent?.base.cwd === undefined ? {} : { cwd: parent.base.cwd }),
    binary: parent?.base.binary ?? '',
    ...(parent?.base.arguments === undefined ? {} : { arguments: parent.base.arguments }),
    flags: parent === undefined ? 'clone unknown' : 'clone',
    start_time: wallTimeText(node.time, task.key.execKtimeNs),
    ...(parent?.base.auid === undefined ? {} : { auid: parent.base.auid }),
    parent_exec_id: execId(node.nodeName, record.parent),
    tid: task.tid,
  };
  return { key: task.key, parent: record.parent, base, cgroupId: task.cgroupId };
}

/** For an event whose process was never announced: what the record itself says. */
export function entryOfStranger(task: RecordTask, node: NodeContext): NewEntry {
  const base: EventProcess = {
    exec_id: execId(node.nodeName, task.key),
    pid: task.key.tgid,
    uid: task.uid,
    binary: '',
    flags: 'unknown',
    start_time: wallTimeText(node.time, task.key.execKtimeNs),
    tid: task.tid,
  };
  return { key: task.key, parent: null, base, cgroupId: task.cgroupId };
}

function execFlags(flags: number, replaced: ProcessEntry | undefined): string {
  const words = FLAG_WORDS.filter(([bit]) => (flags & bit) !== 0).map(([, word]) => word);
  if ((flags & PAL_EF_PROCFS) !== 0) return words.join(' ');
  // An exec after an exec replaces an image that had exec'd; an exec after a fork one that had not.
  const isForked = replaced === undefined || replaced.base.flags.startsWith('clone');
  return ['execve', ...(isForked ? ['clone'] : []), ...words].join(' ');
}

/** Without argv[0]; arguments with spaces are put into double quotes, as upstream does. */
export function argumentsText(args: Buffer): string {
  if (args.length === 0) return '';
  const text = args.toString('utf8');
  const list = (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0').slice(1);
  return list.map((arg) => (arg.includes(' ') ? `"${arg}"` : arg)).join(' ');
}
