/** Writes `struct pal_tbl`: the data of one hook in one generation. */
import {
  MASK_CLASS_LAYOUT,
  PAL_MASK_CLASSES,
  PAL_PLANES,
  PAL_SELECTORS,
  PAL_SLOTS,
  PAL_WORDS,
  PLANE_TBL_LAYOUT,
  SEL_LAYOUT,
  TBL_LAYOUT,
} from './layout.ts';
import { type SelectorMask, writeMask } from './selector-mask.ts';

/** Errno classes of a hook. */
export const DENY_CLASSES = 8;

export type PlaneMasks = { readonly dontCare: SelectorMask; readonly invert: SelectorMask; readonly unknown: SelectorMask };

/** `struct pal_sel`. */
export type SelectorFields = {
  readonly bit: number;
  readonly policy: number;
  readonly selector: number;
  /** Bit i: slot i is part of the event. */
  readonly captureSlots: number;
  /** PAL_ACT_* as written in the policy. */
  readonly actions: number;
  readonly counter: number;
  readonly eventsPerSecond: number;
};

export type TableFields = {
  readonly all: SelectorMask;
  /** First and last bit of each policy's field. */
  readonly first: SelectorMask;
  readonly last: SelectorMask;
  readonly kill: SelectorMask;
  /** Most severe first. `errno` is negative. */
  readonly deny: readonly { readonly errno: number; readonly selectors: SelectorMask }[];
  readonly post: SelectorMask;
  readonly wouldKill: SelectorMask;
  readonly wouldDeny: SelectorMask;
  readonly planes: readonly PlaneMasks[];
  /** Index is the slot: selectors that cannot be decided without it. */
  readonly need: readonly SelectorMask[];
  readonly selectors: readonly SelectorFields[];
  readonly maskClasses: readonly { readonly mask: bigint; readonly selectors: SelectorMask }[];
};

const MASK_BYTES = 8 * PAL_WORDS;

export function writeTable(fields: TableFields): Buffer {
  const fits =
    fields.deny.length <= DENY_CLASSES &&
    fields.planes.length <= PAL_PLANES &&
    fields.need.length <= PAL_SLOTS &&
    fields.selectors.length <= PAL_SELECTORS &&
    fields.maskClasses.length <= PAL_MASK_CLASSES;
  if (!fits) throw new RangeError('more rows than pal_tbl holds');
  const bytes = Buffer.alloc(TBL_LAYOUT.bytes);
  const at = TBL_LAYOUT.at;
  writeMask(bytes, at.all, fields.all);
  writeMask(bytes, at.lsb, fields.first);
  writeMask(bytes, at.msb, fields.last);
  writeMask(bytes, at.kill, fields.kill);
  writeMask(bytes, at.post, fields.post);
  writeMask(bytes, at.wkill, fields.wouldKill);
  writeMask(bytes, at.wdeny, fields.wouldDeny);
  fields.deny.forEach((entry, i) => {
    writeMask(bytes, at.deny + i * MASK_BYTES, entry.selectors);
    bytes.writeInt32LE(entry.errno, at.err + 4 * i);
  });
  fields.planes.forEach((plane, i) => {
    const offset = at.pl + i * PLANE_TBL_LAYOUT.bytes;
    writeMask(bytes, offset + PLANE_TBL_LAYOUT.at.dc, plane.dontCare);
    writeMask(bytes, offset + PLANE_TBL_LAYOUT.at.inv, plane.invert);
    writeMask(bytes, offset + PLANE_TBL_LAYOUT.at.unk, plane.unknown);
  });
  fields.need.forEach((mask, slot) => writeMask(bytes, at.need + slot * MASK_BYTES, mask));
  for (const selector of fields.selectors) writeSelector(bytes, at.sel + selector.bit * SEL_LAYOUT.bytes, selector);
  fields.maskClasses.forEach((entry, i) => {
    const offset = at.cls + i * MASK_CLASS_LAYOUT.bytes;
    bytes.writeBigUInt64LE(entry.mask, offset + MASK_CLASS_LAYOUT.at.mask);
    writeMask(bytes, offset + MASK_CLASS_LAYOUT.at.sel, entry.selectors);
  });
  return bytes;
}

function writeSelector(bytes: Buffer, offset: number, selector: SelectorFields): void {
  const at = SEL_LAYOUT.at;
  bytes.writeUInt16LE(selector.policy, offset + at.pol);
  bytes.writeUInt16LE(selector.selector, offset + at.sel);
  bytes.writeUInt32LE(selector.captureSlots >>> 0, offset + at.cap);
  bytes.writeUInt16LE(selector.actions, offset + at.acts);
  bytes.writeUInt32LE(selector.counter, offset + at.cnt);
  bytes.writeUInt32LE(selector.eventsPerSecond, offset + at.events_per_s);
}
