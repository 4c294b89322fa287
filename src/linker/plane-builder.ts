/**
 * Collects the filters of all selectors of a hook into planes. A selector's j-th filter on the same value and structure goes to plane
 * (value, structure, j), so that two filters on one argument are ANDed.
 */
import type { PlaneFields } from '../abi/hook-config.ts';
import type { PlaneMasks } from '../abi/hook-table.ts';
import { type IntNode, intRows, type StringNode, stringRows } from '../abi/map-rows.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import {
  PAL_K_COL,
  PAL_K_HASH,
  PAL_K_MASK,
  PAL_K_SCOPE,
  PAL_K_STR,
  PAL_K_SUFFIX,
  PAL_P_BINARY,
  PAL_P_SCOPE,
  PAL_P_SLOT,
} from '../abi/layout.ts';
import { type IntValue, mergeInts } from './int-set.ts';
import { stringNodes, type StringValue } from './string-trie.ts';

/** What a plane looks at. `slot` only with PAL_P_SLOT. */
export type PlaneValue = {
  readonly source: number;
  readonly slot: number;
  readonly field: number;
  readonly storage: 'task' | 'scalar' | 'memory';
};

export type FilterUse = { readonly bit: number; readonly negated: boolean; readonly unknownMatches: boolean };

export type FilterData =
  | { readonly kind: 'ints'; readonly values: readonly bigint[] }
  | { readonly kind: 'strings'; readonly equal: readonly Buffer[]; readonly prefixes: readonly Buffer[] }
  /** Reversed already. */
  | { readonly kind: 'suffixes'; readonly reversed: readonly Buffer[] }
  | { readonly kind: 'mask'; readonly mask: bigint }
  /** Rows come from elsewhere: scope classes and columns of binary sets. */
  | { readonly kind: 'outside' };

export type BuiltPlanes = {
  readonly taskPlanes: readonly PlaneFields[];
  readonly scalarPlanes: readonly PlaneFields[];
  readonly memoryPlanes: readonly PlaneFields[];
  /** In the same order. */
  readonly masks: readonly PlaneMasks[];
  readonly maskClasses: readonly { readonly mask: bigint; readonly selectors: SelectorMask }[];
  readonly intRows: Buffer;
  readonly stringRows: Buffer;
};

type Plane = {
  readonly value: PlaneValue;
  readonly kind: number;
  readonly turn: number;
  care: SelectorMask;
  inverted: SelectorMask;
  unknown: SelectorMask;
  /** Merged as soon as somebody asks how many there are. */
  ints: readonly IntValue[];
  readonly strings: StringValue[];
  readonly masks: Map<bigint, SelectorMask>;
};

/** Distinct masks in one plane; more open another one. */
const MASKS_PER_PLANE = 16;
const STORAGE_ORDER = { task: 0, scalar: 1, memory: 2 } as const;

export type PlaneBuilder = {
  add(value: PlaneValue, use: FilterUse, data: FilterData): void;
  planeCount(): number;
  maskClassCount(): number;
  rowCounts(): { readonly ints: number; readonly strings: number };
  build(all: SelectorMask): BuiltPlanes;
};

export function createPlaneBuilder(): PlaneBuilder {
  const planes = new Map<string, Plane>();

  function planeFor(value: PlaneValue, kind: number, bit: SelectorMask, mask: bigint | null): Plane {
    for (let turn = 0; ; turn += 1) {
      const key = [value.source, value.slot, value.field, kind, turn].join('/');
      const plane = planes.get(key) ?? {
        value,
        kind,
        turn,
        care: 0n,
        inverted: 0n,
        unknown: 0n,
        ints: [],
        strings: [],
        masks: new Map(),
      };
      const isFull = mask !== null && plane.masks.size >= MASKS_PER_PLANE && !plane.masks.has(mask);
      if ((plane.care & bit) === 0n && !isFull) {
        planes.set(key, plane);
        return plane;
      }
    }
  }

  function sorted(): readonly Plane[] {
    return [...planes.values()].toSorted(
      (a, b) =>
        STORAGE_ORDER[a.value.storage] - STORAGE_ORDER[b.value.storage] ||
        taskOrder(a) - taskOrder(b) ||
        a.value.source - b.value.source ||
        a.value.slot - b.value.slot ||
        a.value.field - b.value.field ||
        a.kind - b.kind ||
        a.turn - b.turn,
    );
  }

  return {
    add(value, use, data) {
      const bit = bitMask(use.bit);
      const plane = planeFor(value, kindOf(data, value), bit, data.kind === 'mask' ? data.mask : null);
      plane.care |= bit;
      if (use.negated) plane.inverted |= bit;
      if (use.unknownMatches) plane.unknown |= bit;
      addValues(plane, bit, data);
    },
    planeCount: () => planes.size,
    maskClassCount: () => [...planes.values()].reduce((sum, plane) => sum + plane.masks.size, 0),
    rowCounts: () => {
      let ints = 0;
      let strings = 0;
      for (const plane of planes.values()) {
        plane.ints = mergeInts(plane.ints);
        ints += plane.ints.length;
        strings += plane.strings.length;
      }
      return { ints, strings };
    },
    build: (all) => buildPlanes(sorted(), all),
  };
}

function addValues(plane: Plane, bit: SelectorMask, data: FilterData): void {
  switch (data.kind) {
    case 'ints':
      plane.ints = [...plane.ints, ...data.values.map((value) => ({ value, selectors: bit }))];
      return;
    case 'strings':
      for (const bytes of data.equal) plane.strings.push({ bytes, prefix: 0n, equal: bit });
      for (const bytes of data.prefixes) plane.strings.push({ bytes, prefix: bit, equal: 0n });
      return;
    case 'suffixes':
      for (const bytes of data.reversed) plane.strings.push({ bytes, prefix: bit, equal: 0n });
      return;
    case 'mask':
      plane.masks.set(data.mask, (plane.masks.get(data.mask) ?? 0n) | bit);
      return;
    case 'outside':
      return;
  }
}

function buildPlanes(planes: readonly Plane[], all: SelectorMask): BuiltPlanes {
  const fields: PlaneFields[] = [];
  const masks: PlaneMasks[] = [];
  const maskClasses: { mask: bigint; selectors: SelectorMask }[] = [];
  const intNodes: IntNode[] = [];
  const allStringNodes: StringNode[] = [];
  const seenSlots = new Set<number>();
  planes.forEach((plane, index) => {
    const isSlot = plane.value.source === PAL_P_SLOT;
    const nodes = stringNodes(index, plane.strings);
    fields.push({
      source: plane.value.source,
      slot: plane.value.slot,
      kind: plane.kind,
      field: plane.value.field,
      first: isSlot && !seenSlots.has(plane.value.slot),
      firstClass: plane.kind === PAL_K_MASK ? maskClasses.length : 0,
      classCount: plane.masks.size,
      suffixWords: plane.kind === PAL_K_SUFFIX ? Math.ceil(nodes.reduce((most, node) => Math.max(most, node.data.length), 0) / 8) : 0,
    });
    if (isSlot) seenSlots.add(plane.value.slot);
    masks.push({ dontCare: all & ~plane.care, invert: plane.inverted, unknown: plane.unknown });
    for (const [mask, selectors] of [...plane.masks].toSorted(([a], [b]) => (a < b ? -1 : 1))) maskClasses.push({ mask, selectors });
    for (const { value, selectors } of mergeInts(plane.ints)) intNodes.push({ plane: index, value, selectors });
    for (const node of nodes) allStringNodes.push(node);
  });
  const ofStorage = (storage: PlaneValue['storage']): PlaneFields[] => fields.filter((_, i) => planes[i]?.value.storage === storage);
  return {
    taskPlanes: ofStorage('task'),
    scalarPlanes: ofStorage('scalar'),
    memoryPlanes: ofStorage('memory'),
    masks,
    maskClasses,
    intRows: intRows(intNodes),
    stringRows: stringRows(allStringNodes),
  };
}

/** Cheapest first: scope, then binary, then the rest. */
function taskOrder(plane: Plane): number {
  return plane.value.source === PAL_P_SCOPE ? 0 : plane.value.source === PAL_P_BINARY ? 1 : 2;
}

function kindOf(data: FilterData, value: PlaneValue): number {
  switch (data.kind) {
    case 'ints':
      return PAL_K_HASH;
    case 'strings':
      return PAL_K_STR;
    case 'suffixes':
      return PAL_K_SUFFIX;
    case 'mask':
      return PAL_K_MASK;
    case 'outside':
      return value.source === PAL_P_SCOPE ? PAL_K_SCOPE : PAL_K_COL;
  }
}
