/** What the engine's process table holds of a task: in which node-wide sets it is, and its forebears. */
import { PAL_BSETS_FORWARD, PAL_BSETS_REVERSED, PAL_PID_HOST, PAL_PID_INNERMOST } from '../../abi/layout.ts';
import type { SelectorMask } from '../../abi/selector-mask.ts';
import type { LinkedNode } from '../linked-node.ts';
import { openPids, openStrings, walkChunks } from './model-tables.ts';

/** A process as far as others inherit from it. */
export type ModelLineage = {
  /** Null: not known. */
  readonly binary: Uint8Array | null;
  /** What it ran before: followed sets stay in its record over exec. */
  readonly formerBinaries?: readonly Uint8Array[] | undefined;
  /** Undefined: not known. */
  readonly pid?: number | undefined;
  /** Null: in no namespace of its own; undefined: not known. */
  readonly nsPid?: number | null | undefined;
};

export type ModelTask = ModelLineage & {
  /** Row of the task's scope class. */
  readonly scopeRow: SelectorMask;
  /** Parent first; undefined: not known. */
  readonly ancestors?: readonly ModelLineage[] | undefined;
  readonly capabilities: ModelCapabilities;
  /** At exec; undefined: not known. */
  readonly execCapabilities?: ModelCapabilities | undefined;
  readonly inHostUserNamespace: boolean;
  /** By PAL_NS_*. */
  readonly namespaces: readonly number[];
  readonly execNamespaces?: readonly number[] | undefined;
  readonly exempt: boolean;
};

export type ModelCapabilities = { readonly effective: bigint; readonly permitted: bigint; readonly inheritable: bigint };

/** Sets, and whether all that could add to them is known. */
export type KnownSets = { readonly sets: bigint; readonly complete: boolean };

export type ProcessRecord = {
  readonly own: KnownSets;
  /** Null: there is no parent, or none is known. */
  readonly parent: KnownSets | null;
  readonly follow: KnownSets;
  readonly parentFollow: KnownSets | null;
  readonly followPids: KnownSets;
  /** Null: the process has no id of its own there. */
  readonly followNsPids: KnownSets | null;
};

export type ModelSets = (task: ModelTask) => ProcessRecord;

export function openSets(node: Pick<LinkedNode, 'binarySets' | 'pidSets' | 'followedSets'>): ModelSets {
  const paths = openStrings(node.binarySets);
  const pids = openPids(node.pidSets);

  function byPath(path: Uint8Array): bigint {
    const text = Buffer.from(path);
    return walkChunks(paths, PAL_BSETS_FORWARD, text) | walkChunks(paths, PAL_BSETS_REVERSED, Buffer.from(text.toReversed()));
  }

  const everRan = ({ formerBinaries }: ModelLineage): bigint => (formerBinaries ?? []).reduce((sets, path) => sets | byPath(path), 0n);
  const ofBinary = ({ binary }: ModelLineage): bigint | null => (binary === null ? null : byPath(binary));
  const ofPid = ({ pid }: ModelLineage): bigint | null => (pid === undefined ? null : pids(PAL_PID_HOST, pid));
  const ofNsPid = ({ nsPid }: ModelLineage): bigint | null =>
    nsPid === undefined ? null : nsPid === null ? 0n : pids(PAL_PID_INNERMOST, nsPid);

  function union(line: readonly ModelLineage[], isWhole: boolean, setsOf: (one: ModelLineage) => bigint | null, before = 0n): KnownSets {
    const all = line.map(setsOf);
    const sets = all.reduce<bigint>((sum, one) => sum | (one ?? 0n), before) & node.followedSets;
    return { sets, complete: isWhole && !all.includes(null) };
  }

  const everRanIn = (line: readonly ModelLineage[]): bigint => line.reduce((sets, one) => sets | everRan(one), 0n);

  const single = (sets: bigint | null): KnownSets => ({ sets: sets ?? 0n, complete: sets !== null });
  return (task) => {
    const isWhole = task.ancestors !== undefined;
    const before = task.ancestors ?? [];
    const line = [task, ...before];
    const [parent] = before;
    return {
      own: single(ofBinary(task)),
      parent: parent === undefined ? null : single(ofBinary(parent)),
      follow: union(line, isWhole, ofBinary, everRanIn(line)),
      parentFollow: parent === undefined ? null : union(before, isWhole, ofBinary, everRanIn(before)),
      followPids: union(line, isWhole, ofPid),
      followNsPids: task.nsPid === null ? null : union(line, isWhole, ofNsPid),
    };
  };
}
