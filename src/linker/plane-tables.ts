/** From the planes of a hook to what the engine walks: their descriptions, masks, and the rows of all maps. */
import type { PlaneFields } from '../abi/hook-config.ts';
import type { PlaneMasks } from '../abi/hook-table.ts';
import {
  PAL_AC_CLASSES,
  PAL_AC_OUT,
  PAL_K_AC,
  PAL_K_CEL,
  PAL_K_COL,
  PAL_K_MASK,
  PAL_K_STR,
  PAL_K_SUFFIX,
  PAL_K_XCOL,
  PAL_P_SLOT,
} from '../abi/layout.ts';
import {
  type AddressRow,
  addressRows,
  automatonRows,
  byteClassRows,
  type IntRow,
  indexRows,
  intRows,
  type RangeRow,
  rangeRows,
  type StringRow,
  stringRows,
} from '../abi/map-rows.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';
import { addressNodes } from './address-trie.ts';
import { columnEntries, firstColumn, lastColumn } from './columns.ts';
import type { Plane } from './plane-builder.ts';
import { rangeNodes } from './range-trie.ts';
import { stringNodes } from './string-trie.ts';
import { type Automaton, buildAutomaton } from './substring-automaton.ts';

export type PlaneTables = {
  readonly taskPlanes: readonly PlaneFields[];
  readonly scalarPlanes: readonly PlaneFields[];
  readonly memoryPlanes: readonly PlaneFields[];
  /** In the same order. */
  readonly masks: readonly PlaneMasks[];
  readonly maskClasses: readonly { readonly mask: bigint; readonly selectors: SelectorMask }[];
  /** Columns of `cols`. */
  readonly columns: number;
  /** Some strings go on in further chunks. */
  readonly isChained: boolean;
  readonly rows: PlaneRows;
};

/** Packed. `ints`, `strs` and `cols` are what today's engine has; the others are empty where it suffices. */
export type PlaneRows = {
  readonly ints: Buffer;
  readonly strs: Buffer;
  readonly cols: Buffer;
  readonly rng: Buffer;
  readonly addr: Buffer;
  readonly ac: Buffer;
  readonly accls: Buffer;
  readonly xcols: Buffer;
};

type Collected = {
  readonly ints: IntRow[];
  readonly strings: StringRow[];
  readonly ranges: RangeRow[];
  readonly addresses: AddressRow[];
  readonly maskClasses: { readonly mask: bigint; readonly selectors: SelectorMask }[];
  readonly automata: Automaton[];
  automatonStates: number;
  columns: number;
  readonly columnRows: (readonly [number, SelectorMask])[];
  furtherColumns: number;
  readonly furtherRows: (readonly [number, SelectorMask])[];
  chunkPlanes: number;
};

/** `planes` keep to the bounds of the engine: `findExcess` was asked. */
export function buildTables(planes: readonly Plane[], all: SelectorMask): PlaneTables {
  const seenSlots = new Set<number>();
  const to: Collected = {
    ints: [],
    strings: [],
    ranges: [],
    addresses: [],
    maskClasses: [],
    automata: [],
    automatonStates: 0,
    columns: 0,
    columnRows: [],
    furtherColumns: 0,
    furtherRows: [],
    chunkPlanes: 0,
  };
  const fields = planes.map((plane, index): PlaneFields => {
    const isSlot = plane.value.source === PAL_P_SLOT;
    const first = isSlot && !seenSlots.has(plane.value.slot);
    if (isSlot) seenSlots.add(plane.value.slot);
    const { source, slot, field } = plane.value;
    return { source, slot, kind: plane.kind, field, first, ...collect(plane, index, planes.length, to) };
  });
  const ofStorage = (storage: Plane['value']['storage']): PlaneFields[] => fields.filter((_, i) => planes[i]?.value.storage === storage);
  return {
    taskPlanes: ofStorage('task'),
    scalarPlanes: ofStorage('scalar'),
    memoryPlanes: ofStorage('memory'),
    masks: planes.map((plane) => ({ dontCare: all & ~plane.care, invert: plane.inverted, unknown: plane.unknown })),
    maskClasses: to.maskClasses,
    columns: to.columns,
    isChained: to.chunkPlanes > 0,
    rows: {
      ints: intRows(to.ints),
      strs: stringRows(to.strings),
      cols: indexRows(to.columnRows),
      rng: rangeRows(to.ranges),
      addr: addressRows(to.addresses),
      ac: joinedStates(to.automata),
      accls: byteClassRows(to.automata.map((automaton) => automaton.classes)),
      xcols: indexRows(to.furtherRows),
    },
  };
}

/** Adds a plane's rows, and says what its description has besides. */
function collect(
  { kind, variant, content }: Plane,
  index: number,
  planeCount: number,
  to: Collected,
): Pick<PlaneFields, 'firstClass' | 'classCount' | 'suffixWords'> {
  const plain = { firstClass: 0, classCount: 0, suffixWords: 0 };
  for (const [value, selectors] of [...content.ints].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    to.ints.push({ plane: index, value, selectors });
  }
  for (const row of rangeNodes(index, content.ranges)) to.ranges.push(row);
  for (const row of addressNodes(index, content.networks)) to.addresses.push(row);
  switch (kind) {
    case PAL_K_MASK: {
      const firstClass = to.maskClasses.length;
      for (const [mask, selectors] of [...content.masks].toSorted(([a], [b]) => (a < b ? -1 : 1))) to.maskClasses.push({ mask, selectors });
      return { ...plain, firstClass, classCount: content.masks.size };
    }
    case PAL_K_STR:
    case PAL_K_SUFFIX: {
      const nodes = stringNodes(index, content.strings, () => planeCount + to.chunkPlanes++);
      for (const row of nodes) to.strings.push(row);
      const longest = nodes.reduce((most, row) => Math.max(most, row.length), 0);
      return { ...plain, suffixWords: kind === PAL_K_SUFFIX ? Math.ceil(longest / 8) : Math.max(0, Math.ceil(longest / 255) - 1) };
    }
    case PAL_K_AC: {
      const root = to.automatonStates;
      const automaton = buildAutomaton(content.substrings, variant === 'folded' ? 'folded' : 'exact');
      to.automata.push(automaton);
      to.automatonStates += automaton.outputs.length;
      return { firstClass: root & 0xff, classCount: root >> 8, suffixWords: to.automata.length - 1 };
    }
    case PAL_K_COL:
      to.columns = lastColumn(content.sets) + 1;
      for (const row of columnEntries(content.sets, 0)) to.columnRows.push(row);
      return plain;
    case PAL_K_XCOL: {
      const first = firstColumn(content.sets);
      const count = content.sets.size === 0 ? 0 : lastColumn(content.sets) - first + 1;
      const base = to.furtherColumns;
      for (const row of columnEntries(content.sets, base - first)) to.furtherRows.push(row);
      to.furtherColumns += count;
      return { firstClass: base, classCount: count, suffixWords: first };
    }
    case PAL_K_CEL:
      return { ...plain, classCount: content.nodes };
    default:
      return plain;
  }
}

/** States of one automaton after those of the one before. */
function joinedStates(automata: readonly Automaton[]): Buffer {
  const states = automata.reduce((sum, automaton) => sum + automaton.outputs.length, 0);
  const next = new Uint16Array(states * PAL_AC_CLASSES);
  let base = 0;
  for (const automaton of automata) {
    automaton.next.forEach((target, edge) => {
      next[base * PAL_AC_CLASSES + edge] = ((target & ~PAL_AC_OUT) + base) | (target & PAL_AC_OUT);
    });
    base += automaton.outputs.length;
  }
  return automatonRows(
    next,
    automata.flatMap((automaton) => automaton.outputs),
  );
}
