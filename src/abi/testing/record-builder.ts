/** Builds records as the engine would write them, for tests of whatever reads records. */
import {
  ARG_LAYOUT,
  EXEC_LAYOUT,
  EXIT_LAYOUT,
  HDR_LAYOUT,
  HOOKEV_LAYOUT,
  KEY_LAYOUT,
  MATCH_LAYOUT,
  PAL_HF_TELEMETRY,
  PAL_KIND_EXEC,
  PAL_KIND_EXIT,
  PAL_KIND_HOOK,
  PAL_T_PATH,
  TASK_LAYOUT,
} from '../layout.ts';

export type HeaderFields = {
  readonly cpu?: number;
  readonly seq?: bigint;
  readonly ktimeNs?: bigint;
  readonly generation?: number;
  readonly hook?: number;
  readonly ring?: 'critical' | 'telemetry';
};
export type KeyFields = { readonly execKtimeNs: bigint; readonly tgid: number };
export type TaskFields = {
  readonly key: KeyFields;
  readonly tid?: number;
  readonly uid?: number;
  readonly cgroupId?: bigint;
  readonly startBoottimeNs?: bigint;
  readonly scopeClass?: number;
};

export type ExecFields = HeaderFields & {
  readonly task: TaskFields;
  readonly parent?: KeyFields;
  readonly replaced?: KeyFields;
  readonly path: string;
  readonly cwd?: string;
  readonly args?: readonly string[];
  readonly flags?: number;
};

export function buildExec(fields: ExecFields): Buffer {
  const texts = [fields.path, fields.cwd ?? '/', (fields.args ?? []).map((arg) => `${arg}\0`).join('')].map((text) => Buffer.from(text));
  const bytes = Buffer.alloc(EXEC_LAYOUT.bytes + texts.reduce((sum, text) => sum + roundUp8(text.length), 0));
  const at = EXEC_LAYOUT.at;
  writeHeader(bytes, PAL_KIND_EXEC, fields);
  writeTask(bytes, at.t, fields.task);
  writeKey(bytes, at.parent, fields.parent);
  writeKey(bytes, at.old, fields.replaced);
  bytes.writeUInt32LE(fields.flags ?? 0, at.flags);
  bytes.writeUInt16LE(texts[0]?.length ?? 0, at.l_path);
  bytes.writeUInt16LE(texts[1]?.length ?? 0, at.l_cwd);
  bytes.writeUInt32LE(texts[2]?.length ?? 0, at.l_args);
  bytes.writeUInt32LE(fields.args?.length ?? 0, at.argc);
  let offset: number = EXEC_LAYOUT.bytes;
  for (const text of texts) {
    text.copy(bytes, offset);
    offset += roundUp8(text.length);
  }
  return bytes;
}

export type ExitFields = HeaderFields & {
  readonly task: TaskFields;
  readonly parent?: KeyFields;
  readonly code?: number;
  readonly signal?: number;
};

export function buildExit(fields: ExitFields): Buffer {
  const bytes = Buffer.alloc(EXIT_LAYOUT.bytes);
  writeHeader(bytes, PAL_KIND_EXIT, fields);
  writeTask(bytes, EXIT_LAYOUT.at.t, fields.task);
  writeKey(bytes, EXIT_LAYOUT.at.parent, fields.parent);
  bytes.writeUInt32LE(fields.code ?? 0, EXIT_LAYOUT.at.code);
  bytes.writeUInt32LE(fields.signal ?? 0, EXIT_LAYOUT.at.sig);
  return bytes;
}

export type HookFields = HeaderFields & {
  readonly task: TaskFields;
  readonly errno?: number;
  readonly signal?: number;
  readonly flags?: number;
  readonly matches: readonly { readonly policy: number; readonly selector: number; readonly actions: number; readonly flags?: number }[];
  readonly args?: readonly { readonly slot: number; readonly type: number; readonly status?: number; readonly data: Buffer }[];
};

export function buildHook(fields: HookFields): Buffer {
  const args = fields.args ?? [];
  const matchEnd = HOOKEV_LAYOUT.bytes + fields.matches.length * MATCH_LAYOUT.bytes;
  const bytes = Buffer.alloc(matchEnd + args.reduce((sum, arg) => sum + ARG_LAYOUT.bytes + roundUp8(arg.data.length), 0));
  const at = HOOKEV_LAYOUT.at;
  writeHeader(bytes, PAL_KIND_HOOK, fields);
  writeTask(bytes, at.t, fields.task);
  bytes.writeUInt16LE(fields.matches.length, at.nmatch);
  bytes.writeUInt16LE(args.length, at.nargs);
  bytes.writeInt32LE(fields.errno ?? 0, at.err);
  bytes.writeUInt32LE(fields.signal ?? 0, at.sig);
  bytes.writeUInt32LE(fields.flags ?? 0, at.flags);
  fields.matches.forEach((match, i) => {
    const offset = HOOKEV_LAYOUT.bytes + i * MATCH_LAYOUT.bytes;
    bytes.writeUInt16LE(match.policy, offset + MATCH_LAYOUT.at.pol);
    bytes.writeUInt16LE(match.selector, offset + MATCH_LAYOUT.at.sel);
    bytes.writeUInt16LE(match.actions, offset + MATCH_LAYOUT.at.acts);
    bytes.writeUInt16LE(match.flags ?? 0, offset + MATCH_LAYOUT.at.f);
  });
  let offset = matchEnd;
  for (const arg of args) {
    bytes.writeUInt8(arg.slot, offset + ARG_LAYOUT.at.slot);
    bytes.writeUInt8(arg.type, offset + ARG_LAYOUT.at.type);
    bytes.writeUInt8(arg.status ?? 0, offset + ARG_LAYOUT.at.status);
    bytes.writeUInt32LE(arg.data.length, offset + ARG_LAYOUT.at.len);
    arg.data.copy(bytes, offset + ARG_LAYOUT.bytes);
    offset += ARG_LAYOUT.bytes + roundUp8(arg.data.length);
  }
  return bytes;
}

/** Data of a path argument of the given mode. */
export function pathArgument(slot: number, path: string, mode: number): { slot: number; type: number; data: Buffer } {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(mode, 0);
  return { slot, type: PAL_T_PATH, data: Buffer.concat([head, Buffer.from(path)]) };
}

function writeHeader(bytes: Buffer, kind: number, fields: HeaderFields): void {
  const at = HDR_LAYOUT.at;
  bytes.writeUInt32LE(bytes.length, at.len);
  bytes.writeUInt8(kind, at.kind);
  bytes.writeUInt8(fields.ring === 'telemetry' ? PAL_HF_TELEMETRY : 0, at.flags);
  bytes.writeUInt16LE(fields.cpu ?? 0, at.cpu);
  bytes.writeBigUInt64LE(fields.seq ?? 0n, at.seq);
  bytes.writeBigUInt64LE(fields.ktimeNs ?? 0n, at.ktime);
  bytes.writeUInt32LE(fields.generation ?? 1, at.gen);
  bytes.writeUInt32LE(fields.hook ?? 0, at.hook);
}

function writeKey(bytes: Buffer, offset: number, key: KeyFields | undefined): void {
  bytes.writeBigUInt64LE(key?.execKtimeNs ?? 0n, offset + KEY_LAYOUT.at.exec_ktime);
  bytes.writeUInt32LE(key?.tgid ?? 0, offset + KEY_LAYOUT.at.tgid);
}

function writeTask(bytes: Buffer, offset: number, task: TaskFields): void {
  const at = TASK_LAYOUT.at;
  writeKey(bytes, offset + at.key, task.key);
  bytes.writeBigUInt64LE(task.startBoottimeNs ?? task.key.execKtimeNs, offset + at.start);
  bytes.writeUInt32LE(task.tid ?? task.key.tgid, offset + at.tid);
  bytes.writeUInt32LE(task.key.tgid, offset + at.nstgid);
  bytes.writeBigUInt64LE(task.cgroupId ?? 0n, offset + at.cgid);
  bytes.writeUInt32LE(task.uid ?? 0, offset + at.uid);
  bytes.writeUInt32LE(task.scopeClass ?? 0, offset + at.cls);
}

function roundUp8(value: number): number {
  return Math.ceil(value / 8) * 8;
}
