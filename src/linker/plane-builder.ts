/**
 * Collects the filters of all selectors of a hook into planes. A selector's j-th filter on the same value and structure goes to plane
 * (value, structure, j), so that two filters on one argument are ANDed.
 */
import { PAL_P_BINARY, PAL_P_SCOPE } from '../abi/layout.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import { addData, emptyContent, type FilterData, hasRoom, type PlaneContent, type PlaneValue, structureOf } from './plane-data.ts';

export type FilterUse = { readonly bit: number; readonly negated: boolean; readonly unknownMatches: boolean };

export type Plane = {
  readonly value: PlaneValue;
  /** PAL_K_*. */
  readonly kind: number;
  readonly variant: string;
  readonly turn: number;
  care: SelectorMask;
  inverted: SelectorMask;
  unknown: SelectorMask;
  readonly content: PlaneContent;
};

const STORAGE_ORDER = { task: 0, scalar: 1, memory: 2 } as const;

export type PlaneBuilder = {
  add(value: PlaneValue, use: FilterUse, data: FilterData): void;
  /** In the order in which the engine walks them. */
  planes(): readonly Plane[];
};

export function createPlaneBuilder(): PlaneBuilder {
  const planes = new Map<string, Plane>();

  function planeFor(value: PlaneValue, bit: SelectorMask, data: FilterData): Plane {
    const { kind, variant } = structureOf(data);
    for (let turn = 0; ; turn += 1) {
      const key = [value.source, value.slot, value.field, kind, variant, turn].join('/');
      const known = planes.get(key);
      const plane = known ?? { value, kind, variant, turn, care: 0n, inverted: 0n, unknown: 0n, content: emptyContent() };
      if (known === undefined) planes.set(key, plane);
      if ((plane.care & bit) === 0n && hasRoom(plane.content, data)) return plane;
    }
  }

  return {
    add(value, use, data) {
      const bit = bitMask(use.bit);
      const plane = planeFor(value, bit, data);
      plane.care |= bit;
      if (use.negated) plane.inverted |= bit;
      if (use.unknownMatches) plane.unknown |= bit;
      addData(plane.content, bit, data);
    },
    planes: () => [...planes.values()].toSorted(inOrder),
  };
}

function inOrder(a: Plane, b: Plane): number {
  return (
    STORAGE_ORDER[a.value.storage] - STORAGE_ORDER[b.value.storage] ||
    taskOrder(a) - taskOrder(b) ||
    a.value.source - b.value.source ||
    a.value.slot - b.value.slot ||
    a.value.field - b.value.field ||
    a.kind - b.kind ||
    (a.variant < b.variant ? -1 : a.variant > b.variant ? 1 : 0) ||
    a.turn - b.turn
  );
}

/** Cheapest first: scope, then binary, then the rest. */
function taskOrder(plane: Plane): number {
  return plane.value.source === PAL_P_SCOPE ? 0 : plane.value.source === PAL_P_BINARY ? 1 : 2;
}
