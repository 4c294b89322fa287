/**
 * Reads the records of the event rings (native/abi/palisade.h, "records"). They come from the kernel through the loader and are
 * treated as hostile: every length is checked, nothing reads out of bounds, nothing throws. Text stays bytes (views into the record's
 * buffer, not copies): most events never need most of it.
 */
import { readArguments, readMatches } from './hook-record.ts';
import {
  ALARM_LAYOUT,
  CG_LAYOUT,
  CLONE_LAYOUT,
  CRED_LAYOUT,
  EXEC_LAYOUT,
  EXIT_LAYOUT,
  HDR_LAYOUT,
  HOOKEV_LAYOUT,
  KEY_LAYOUT,
  LOSS_LAYOUT,
  PAL_HF_TELEMETRY,
  PAL_KIND_ALARM,
  PAL_KIND_CGROUP,
  PAL_KIND_CLONE,
  PAL_KIND_EXEC,
  PAL_KIND_EXIT,
  PAL_KIND_HOOK,
  PAL_KIND_LOSS,
  PAL_NS_COUNT,
  PAL_RECORD_MAX,
  TASK_LAYOUT,
} from './layout.ts';
import type {
  CgroupRecord,
  ExecRecord,
  HookRecord,
  PalRecord,
  ProcessKey,
  RecordCredentials,
  RecordHeader,
  RecordTask,
} from './record-types.ts';

export type RecordProblem = {
  readonly code: 'RecordTooShort' | 'RecordLength' | 'RecordKind' | 'RecordContent';
  readonly message: string;
};

export type ReadRecord = { readonly ok: true; readonly record: PalRecord } | { readonly ok: false; readonly problem: RecordProblem };

/** Smallest bytes of a record of a kind, its fixed part. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [PAL_KIND_EXEC, EXEC_LAYOUT.bytes],
  [PAL_KIND_EXIT, EXIT_LAYOUT.bytes],
  [PAL_KIND_CLONE, CLONE_LAYOUT.bytes],
  [PAL_KIND_HOOK, HOOKEV_LAYOUT.bytes],
  [PAL_KIND_LOSS, LOSS_LAYOUT.bytes],
  [PAL_KIND_ALARM, ALARM_LAYOUT.bytes],
  [PAL_KIND_CGROUP, CG_LAYOUT.bytes],
]);

/**
 * Length of the record that starts at `offset`; null when fewer bytes than a header are there, -1 when the length cannot be that of a
 * record (the stream is out of step and cannot be continued).
 */
export function recordLengthAt(bytes: Buffer, offset: number): number | null {
  if (bytes.length - offset < HDR_LAYOUT.bytes) return null;
  const length = bytes.readUInt32LE(offset);
  return length < HDR_LAYOUT.bytes || length > PAL_RECORD_MAX || length % 8 !== 0 ? -1 : length;
}

/** `bytes` is one whole record, as cut by `recordLengthAt`. */
export function readRecord(bytes: Buffer): ReadRecord {
  if (bytes.length < HDR_LAYOUT.bytes) return bad('RecordTooShort', `a record needs ${HDR_LAYOUT.bytes} bytes, got ${bytes.length}`);
  const header = readHeader(bytes);
  if (header.length !== bytes.length) return bad('RecordLength', `the header says ${header.length} bytes, the record has ${bytes.length}`);
  const fixed = FIXED_BYTES.get(header.kind);
  if (fixed === undefined) return bad('RecordKind', `unknown record kind ${header.kind}`);
  if (bytes.length < fixed) return bad('RecordLength', `kind ${header.kind} needs ${fixed} bytes, the record has ${bytes.length}`);
  switch (header.kind) {
    case PAL_KIND_EXEC:
      return readExec(bytes, header);
    case PAL_KIND_EXIT:
      return good({
        kind: 'exit',
        header,
        task: readTask(bytes, EXIT_LAYOUT.at.t),
        parent: readKey(bytes, EXIT_LAYOUT.at.parent),
        code: bytes.readUInt32LE(EXIT_LAYOUT.at.code),
        signal: bytes.readUInt32LE(EXIT_LAYOUT.at.sig),
        userTimeNs: bytes.readBigUInt64LE(EXIT_LAYOUT.at.utime),
        systemTimeNs: bytes.readBigUInt64LE(EXIT_LAYOUT.at.stime),
      });
    case PAL_KIND_CLONE:
      return good({
        kind: 'clone',
        header,
        task: readTask(bytes, CLONE_LAYOUT.at.t),
        parent: readKey(bytes, CLONE_LAYOUT.at.parent),
        cloneFlags: bytes.readBigUInt64LE(CLONE_LAYOUT.at.cflags),
      });
    case PAL_KIND_HOOK:
      return readHook(bytes, header);
    case PAL_KIND_LOSS:
      return good({
        kind: 'loss',
        header,
        policy: bytes.readUInt32LE(LOSS_LAYOUT.at.pol),
        reason: bytes.readUInt32LE(LOSS_LAYOUT.at.reason),
        count: bytes.readBigUInt64LE(LOSS_LAYOUT.at.n),
      });
    case PAL_KIND_ALARM:
      return good({
        kind: 'alarm',
        header,
        code: bytes.readUInt32LE(ALARM_LAYOUT.at.code),
        argument: bytes.readUInt32LE(ALARM_LAYOUT.at.arg),
        a: bytes.readBigUInt64LE(ALARM_LAYOUT.at.a),
        b: bytes.readBigUInt64LE(ALARM_LAYOUT.at.b),
      });
    default:
      return readCgroup(bytes, header);
  }
}

function readHeader(bytes: Buffer): RecordHeader {
  const at = HDR_LAYOUT.at;
  const flags = bytes.readUInt8(at.flags);
  return {
    length: bytes.readUInt32LE(at.len),
    kind: bytes.readUInt8(at.kind),
    flags,
    ring: (flags & PAL_HF_TELEMETRY) === 0 ? 'critical' : 'telemetry',
    cpu: bytes.readUInt16LE(at.cpu),
    seq: bytes.readBigUInt64LE(at.seq),
    ktimeNs: bytes.readBigUInt64LE(at.ktime),
    generation: bytes.readUInt32LE(at.gen),
    hook: bytes.readUInt32LE(at.hook),
  };
}

function readKey(bytes: Buffer, offset: number): ProcessKey {
  const at = KEY_LAYOUT.at;
  return {
    execKtimeNs: bytes.readBigUInt64LE(offset + at.exec_ktime),
    tgid: bytes.readUInt32LE(offset + at.tgid),
    flags: bytes.readUInt32LE(offset + at.flags),
  };
}

function readTask(bytes: Buffer, offset: number): RecordTask {
  const at = TASK_LAYOUT.at;
  return {
    key: readKey(bytes, offset + at.key),
    startBoottimeNs: bytes.readBigUInt64LE(offset + at.start),
    tid: bytes.readUInt32LE(offset + at.tid),
    nsTgid: bytes.readUInt32LE(offset + at.nstgid),
    cgroupId: bytes.readBigUInt64LE(offset + at.cgid),
    uid: bytes.readUInt32LE(offset + at.uid),
    scopeClass: bytes.readUInt32LE(offset + at.cls),
  };
}

function readCredentials(bytes: Buffer, offset: number): RecordCredentials {
  const at = CRED_LAYOUT.at;
  return {
    uid: bytes.readUInt32LE(offset + at.uid),
    gid: bytes.readUInt32LE(offset + at.gid),
    euid: bytes.readUInt32LE(offset + at.euid),
    egid: bytes.readUInt32LE(offset + at.egid),
    suid: bytes.readUInt32LE(offset + at.suid),
    sgid: bytes.readUInt32LE(offset + at.sgid),
    fsuid: bytes.readUInt32LE(offset + at.fsuid),
    fsgid: bytes.readUInt32LE(offset + at.fsgid),
    securebits: bytes.readUInt32LE(offset + at.secbits),
    permitted: bytes.readBigUInt64LE(offset + at.prm),
    effective: bytes.readBigUInt64LE(offset + at.eff),
    inheritable: bytes.readBigUInt64LE(offset + at.inh),
    userNamespaceLevel: bytes.readInt32LE(offset + at.ns_level),
    userNamespaceUid: bytes.readUInt32LE(offset + at.ns_uid),
    userNamespaceGid: bytes.readUInt32LE(offset + at.ns_gid),
    userNamespaceInode: bytes.readUInt32LE(offset + at.ns_inum),
  };
}

function readExec(bytes: Buffer, header: RecordHeader): ReadRecord {
  const at = EXEC_LAYOUT.at;
  const lengths = [
    bytes.readUInt16LE(at.l_path),
    bytes.readUInt16LE(at.l_cwd),
    bytes.readUInt32LE(at.l_args),
    bytes.readUInt32LE(at.l_env),
  ];
  const texts: Buffer[] = [];
  let offset: number = EXEC_LAYOUT.bytes;
  for (const length of lengths) {
    if (length > bytes.length - offset)
      return bad('RecordContent', `an exec record says ${length} bytes of text where ${bytes.length - offset} are left`);
    texts.push(bytes.subarray(offset, offset + length));
    offset = Math.min(bytes.length, offset + roundUp8(length));
  }
  const [path, cwd, args, environment] = texts;
  if (path === undefined || cwd === undefined || args === undefined || environment === undefined) {
    return bad('RecordContent', 'an exec record has four texts');
  }
  const namespaces: number[] = [];
  for (let i = 0; i < PAL_NS_COUNT; i += 1) namespaces.push(bytes.readUInt32LE(at.ns + 4 * i));
  const record: ExecRecord = {
    kind: 'exec',
    header,
    task: readTask(bytes, at.t),
    parent: readKey(bytes, at.parent),
    replaced: readKey(bytes, at.old),
    credentials: readCredentials(bytes, at.c),
    namespaces,
    inode: bytes.readBigUInt64LE(at.ino),
    device: bytes.readBigUInt64LE(at.dev),
    linkCount: bytes.readUInt32LE(at.nlink),
    secureExec: bytes.readUInt32LE(at.secureexec),
    auditUid: bytes.readUInt32LE(at.auid),
    flags: bytes.readUInt32LE(at.flags),
    argumentCount: bytes.readUInt32LE(at.argc),
    environmentCount: bytes.readUInt32LE(at.envc),
    path,
    cwd,
    args,
    environment,
  };
  return good(record);
}

function readHook(bytes: Buffer, header: RecordHeader): ReadRecord {
  const at = HOOKEV_LAYOUT.at;
  const matches = readMatches(bytes, bytes.readUInt16LE(at.nmatch));
  if (matches === null) return bad('RecordContent', 'a hook record has fewer matches than it says');
  const args = readArguments(bytes, matches.end, bytes.readUInt16LE(at.nargs));
  if (args === null) return bad('RecordContent', 'a hook record has fewer arguments than it says, or one is longer than the record');
  const record: HookRecord = {
    kind: 'hook',
    header,
    task: readTask(bytes, at.t),
    errno: bytes.readInt32LE(at.err),
    signal: bytes.readUInt32LE(at.sig),
    flags: bytes.readUInt32LE(at.flags),
    pair: bytes.readBigUInt64LE(at.pair),
    kernelStack: bytes.readInt32LE(at.kstack),
    userStack: bytes.readInt32LE(at.ustack),
    matches: matches.matches,
    args,
  };
  return good(record);
}

function readCgroup(bytes: Buffer, header: RecordHeader): ReadRecord {
  const at = CG_LAYOUT.at;
  const length = bytes.readUInt16LE(at.l_name);
  if (length > bytes.length - CG_LAYOUT.bytes) return bad('RecordContent', `a cgroup record says a name of ${length} bytes`);
  const record: CgroupRecord = {
    kind: 'cgroup',
    header,
    id: bytes.readBigUInt64LE(at.id),
    parentId: bytes.readBigUInt64LE(at.parent),
    podId: bytes.readBigUInt64LE(at.pod),
    operation: bytes.readUInt32LE(at.op),
    scopeClass: bytes.readUInt32LE(at.cls),
    name: bytes.subarray(CG_LAYOUT.bytes, CG_LAYOUT.bytes + length),
  };
  return good(record);
}

function roundUp8(value: number): number {
  return Math.ceil(value / 8) * 8;
}

function good(record: PalRecord): ReadRecord {
  return { ok: true, record };
}

function bad(code: RecordProblem['code'], message: string): ReadRecord {
  return { ok: false, problem: { code, message } };
}
