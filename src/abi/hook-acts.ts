/** Writes and reads `struct pal_acts`: what selectors do besides events, denial and SIGKILL. */
import { ACTS_LAYOUT, ACT_LAYOUT, PAL_DOES, PAL_SELECTORS, PAL_SIGNAL_CLASSES, PAL_WORDS, SEL_ACTS_LAYOUT } from './layout.ts';
import { readMask, type SelectorMask, writeMask } from './selector-mask.ts';

/** `struct pal_act`. */
export type ActFields = {
  /** PAL_DO_*. */
  readonly type: number;
  readonly slot: number;
  readonly a: number;
  readonly b: number;
};

/** `struct pal_sel_acts`. */
export type SelectorActs = {
  readonly bit: number;
  /** 0: no limit. */
  readonly rateLimitMs: number;
  /** PAL_RATE_*. */
  readonly rateScope: number;
  /** PAL_POST_*. */
  readonly post: number;
  readonly acts: readonly ActFields[];
};

export type ActsFields = {
  /** Smallest signal first. */
  readonly signals: readonly { readonly signal: number; readonly selectors: SelectorMask }[];
  /** Monitor mode: what would have been sent. */
  readonly wouldSignal: SelectorMask;
  /** Those that deny: an unknown value does not make them signal. */
  readonly spare: SelectorMask;
  /** Those whose return is watched. */
  readonly returns: SelectorMask;
  readonly selectors: readonly SelectorActs[];
};

const MASK_BYTES = 8 * PAL_WORDS;

export function writeActs(fields: ActsFields): Buffer {
  if (fields.signals.length > PAL_SIGNAL_CLASSES || fields.selectors.length > PAL_SELECTORS) {
    throw new RangeError('more rows than pal_acts holds');
  }
  const bytes = Buffer.alloc(ACTS_LAYOUT.bytes);
  const at = ACTS_LAYOUT.at;
  fields.signals.forEach(({ signal, selectors }, i) => {
    writeMask(bytes, at.sig + i * MASK_BYTES, selectors);
    bytes.writeUInt32LE(signal, at.signo + 4 * i);
  });
  writeMask(bytes, at.wsig, fields.wouldSignal);
  writeMask(bytes, at.spare, fields.spare);
  writeMask(bytes, at.ret, fields.returns);
  for (const selector of fields.selectors) writeSelectorActs(bytes, at.sel + selector.bit * SEL_ACTS_LAYOUT.bytes, selector);
  return bytes;
}

function writeSelectorActs(bytes: Buffer, offset: number, fields: SelectorActs): void {
  if (fields.acts.length > PAL_DOES) throw new RangeError('more actions than pal_sel_acts holds');
  bytes.writeUInt32LE(fields.rateLimitMs, offset + SEL_ACTS_LAYOUT.at.rate_ms);
  bytes.writeUInt8(fields.rateScope, offset + SEL_ACTS_LAYOUT.at.rate_scope);
  bytes.writeUInt8(fields.post, offset + SEL_ACTS_LAYOUT.at.post);
  fields.acts.forEach((act, i) => {
    const start = offset + SEL_ACTS_LAYOUT.at.act + i * ACT_LAYOUT.bytes;
    bytes.writeUInt8(act.type, start + ACT_LAYOUT.at.type);
    bytes.writeUInt8(act.slot, start + ACT_LAYOUT.at.slot);
    bytes.writeInt32LE(act.a, start + ACT_LAYOUT.at.a);
    bytes.writeInt32LE(act.b, start + ACT_LAYOUT.at.b);
  });
}

export function signalClasses(acts: Buffer): readonly { readonly signal: number; readonly selectors: SelectorMask }[] {
  return Array.from({ length: PAL_SIGNAL_CLASSES }, (_, i) => ({
    signal: acts.readUInt32LE(ACTS_LAYOUT.at.signo + 4 * i),
    selectors: readMask(acts, ACTS_LAYOUT.at.sig + i * MASK_BYTES),
  })).filter(({ signal }) => signal !== 0);
}

export function actsMask(acts: Buffer, name: 'wsig' | 'spare' | 'ret'): SelectorMask {
  return readMask(acts, ACTS_LAYOUT.at[name]);
}

export function selectorActs(acts: Buffer, bit: number): SelectorActs {
  const offset = ACTS_LAYOUT.at.sel + bit * SEL_ACTS_LAYOUT.bytes;
  const list = Array.from({ length: PAL_DOES }, (_, i) => {
    const start = offset + SEL_ACTS_LAYOUT.at.act + i * ACT_LAYOUT.bytes;
    return {
      type: acts.readUInt8(start + ACT_LAYOUT.at.type),
      slot: acts.readUInt8(start + ACT_LAYOUT.at.slot),
      a: acts.readInt32LE(start + ACT_LAYOUT.at.a),
      b: acts.readInt32LE(start + ACT_LAYOUT.at.b),
    };
  });
  return {
    bit,
    rateLimitMs: acts.readUInt32LE(offset + SEL_ACTS_LAYOUT.at.rate_ms),
    rateScope: acts.readUInt8(offset + SEL_ACTS_LAYOUT.at.rate_scope),
    post: acts.readUInt8(offset + SEL_ACTS_LAYOUT.at.post),
    acts: list.filter(({ type }) => type !== 0),
  };
}
