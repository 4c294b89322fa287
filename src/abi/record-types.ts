/** What a record of the event rings says, field by field. Numbers that may exceed 2^53 (times, ids, masks) are bigint. */

export type RecordHeader = {
  /** Bytes of the whole record, a multiple of 8. */
  readonly length: number;
  /** PAL_KIND_*. */
  readonly kind: number;
  /** PAL_HF_*. */
  readonly flags: number;
  readonly ring: 'critical' | 'telemetry';
  readonly cpu: number;
  /** Counts per ring and CPU without gaps; a gap is a loss. */
  readonly seq: bigint;
  /** CLOCK_MONOTONIC, nanoseconds. */
  readonly ktimeNs: bigint;
  readonly generation: number;
  /** Hook id of the linked set; 0 in records of no hook. */
  readonly hook: number;
};

/** Names a process for ever: time of its exec and pid. `flags` are PAL_PROC_*-like hints and not part of the identity. */
export type ProcessKey = { readonly execKtimeNs: bigint; readonly tgid: number; readonly flags: number };

export type RecordTask = {
  readonly key: ProcessKey;
  readonly startBoottimeNs: bigint;
  readonly tid: number;
  /** Pid inside the process's own pid namespace. */
  readonly nsTgid: number;
  readonly cgroupId: bigint;
  readonly uid: number;
  /** Scope class, see the linker. */
  readonly scopeClass: number;
};

export type RecordCredentials = {
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly suid: number;
  readonly sgid: number;
  readonly fsuid: number;
  readonly fsgid: number;
  readonly securebits: number;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly inheritable: bigint;
  readonly userNamespaceLevel: number;
  readonly userNamespaceUid: number;
  readonly userNamespaceGid: number;
  readonly userNamespaceInode: number;
};

export type ExecRecord = {
  readonly kind: 'exec';
  readonly header: RecordHeader;
  readonly task: RecordTask;
  readonly parent: ProcessKey;
  /** The image that this exec replaced. */
  readonly replaced: ProcessKey;
  readonly credentials: RecordCredentials;
  /** Inode numbers by PAL_NS_*. */
  readonly namespaces: readonly number[];
  readonly inode: bigint;
  readonly device: bigint;
  readonly linkCount: number;
  readonly secureExec: number;
  readonly auditUid: number;
  /** PAL_EF_*. */
  readonly flags: number;
  readonly argumentCount: number;
  readonly environmentCount: number;
  readonly path: Buffer;
  readonly cwd: Buffer;
  /** Arguments, each ended by a NUL. */
  readonly args: Buffer;
  readonly environment: Buffer;
};

export type ExitRecord = {
  readonly kind: 'exit';
  readonly header: RecordHeader;
  readonly task: RecordTask;
  readonly parent: ProcessKey;
  readonly code: number;
  readonly signal: number;
  readonly userTimeNs: bigint;
  readonly systemTimeNs: bigint;
};

export type CloneRecord = {
  readonly kind: 'clone';
  readonly header: RecordHeader;
  readonly task: RecordTask;
  readonly parent: ProcessKey;
  readonly cloneFlags: bigint;
};

export type RecordMatch = {
  /** Node-wide policy number of the linked set. */
  readonly policy: number;
  /** Index of the selector in the hook of that policy. */
  readonly selector: number;
  /** PAL_ACT_*: what was executed. */
  readonly actions: number;
  /** PAL_MF_*. */
  readonly flags: number;
};

export type RecordArgument = {
  readonly slot: number;
  /** PAL_T_*. */
  readonly type: number;
  /** PAL_A_*. */
  readonly status: number;
  readonly flags: number;
  readonly data: Buffer;
};

export type HookRecord = {
  readonly kind: 'hook';
  readonly header: RecordHeader;
  readonly task: RecordTask;
  /** Negative errno that the call got, 0 if none. */
  readonly errno: number;
  /** Signal that the process got, 0 if none. */
  readonly signal: number;
  /** PAL_HV_*. */
  readonly flags: number;
  readonly pair: bigint;
  readonly kernelStack: number;
  readonly userStack: number;
  readonly matches: readonly RecordMatch[];
  readonly args: readonly RecordArgument[];
};

export type LossRecord = {
  readonly kind: 'loss';
  readonly header: RecordHeader;
  readonly policy: number;
  readonly reason: number;
  readonly count: bigint;
};

export type AlarmRecord = {
  readonly kind: 'alarm';
  readonly header: RecordHeader;
  readonly code: number;
  readonly argument: number;
  readonly a: bigint;
  readonly b: bigint;
};

export type CgroupRecord = {
  readonly kind: 'cgroup';
  readonly header: RecordHeader;
  readonly id: bigint;
  readonly parentId: bigint;
  /** Cgroup id of the pod's own level, 0 outside pods. */
  readonly podId: bigint;
  /** 1 mkdir, 2 release. */
  readonly operation: number;
  readonly scopeClass: number;
  readonly name: Buffer;
};

export type PalRecord = ExecRecord | ExitRecord | CloneRecord | HookRecord | LossRecord | AlarmRecord | CgroupRecord;
