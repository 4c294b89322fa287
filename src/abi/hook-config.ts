/** Writes and reads `struct pal_cfg`: what prunes the code of one hook's engine. */
import { CFG_LAYOUT, PAL_ABI_VERSION, PAL_NO_SIZE_SLOT, PAL_PLANES, PAL_SLOTS, PAL_STEPS, PLANE_LAYOUT, SLOT_LAYOUT } from './layout.ts';

/** `struct pal_slot`: one value that the engine extracts. */
export type SlotFields = {
  /** PAL_T_*. */
  readonly type: number;
  /** PAL_SRC_*. */
  readonly source: number;
  /** Index of a register or context word; 0 for other sources. */
  readonly register: number;
  /** PAL_SF_*. */
  readonly flags: number;
  /** Bytes of an integer: 1, 2, 4, 8; 8 for pointers. */
  readonly width: number;
  /** `memory` values are copied into scratch before they are compared. */
  readonly storage: 'scalar' | 'memory';
  /** Bytes to copy at most; 0 for integers. */
  readonly maxBytes: number;
  /** Offsets, see the header. */
  readonly steps: readonly number[];
  /** Number of the slot that has the size of this buffer; absent: none. */
  readonly sizeSlot?: number;
};

/** `struct pal_plane`: one lookup. */
export type PlaneFields = {
  /** PAL_P_*. */
  readonly source: number;
  readonly slot: number;
  /** PAL_K_*. */
  readonly kind: number;
  readonly field: number;
  /** True on the first plane of a slot: that one extracts the value. */
  readonly first: boolean;
  readonly classCount: number;
  readonly firstClass: number;
  /** PAL_K_SUFFIX: the longest in 8-byte words. Other kinds use these three as the header says. */
  readonly suffixWords: number;
};

export type ConfigFields = {
  readonly hook: number;
  /** 64-bit words of a selector mask in use, 1…4. */
  readonly words: number;
  /** Sorted: task planes, then planes on scalars, then planes on memory. */
  readonly taskPlanes: readonly PlaneFields[];
  readonly scalarPlanes: readonly PlaneFields[];
  readonly memoryPlanes: readonly PlaneFields[];
  readonly slots: readonly SlotFields[];
  /** Bit i: register argument i is read; bit 8: arguments behind pt_regs*. */
  readonly registerMask: number;
  /** PAL_FEAT_*. */
  readonly features: number;
  /** Columns of binary sets. */
  readonly columns: number;
  readonly syscallNumber: number;
};

/** Bank and kflags are left 0: the loader sets them. */
export function writeConfig(fields: ConfigFields): Buffer {
  const planes = [...fields.taskPlanes, ...fields.scalarPlanes, ...fields.memoryPlanes];
  if (planes.length > PAL_PLANES || fields.slots.length > PAL_SLOTS) throw new RangeError('more planes or slots than pal_cfg holds');
  const bytes = Buffer.alloc(CFG_LAYOUT.bytes);
  const at = CFG_LAYOUT.at;
  bytes.writeUInt32LE(PAL_ABI_VERSION, at.abi);
  bytes.writeUInt32LE(fields.hook, at.hook);
  bytes.writeUInt32LE(fields.words, at.words);
  bytes.writeUInt32LE(fields.taskPlanes.length, at.np_task);
  bytes.writeUInt32LE(fields.taskPlanes.length + fields.scalarPlanes.length, at.np_scalar);
  bytes.writeUInt32LE(planes.length, at.np_mem);
  bytes.writeUInt32LE(fields.slots.length, at.nslots);
  bytes.writeUInt32LE(fields.registerMask, at.regmask);
  bytes.writeUInt32LE(fields.slots.reduce((mask, slot) => mask | (1 << slot.type), 0) >>> 0, at.typemask);
  bytes.writeUInt32LE(Math.max(0, ...fields.slots.map((slot) => slot.steps.length)), at.maxsteps);
  bytes.writeUInt32LE(fields.columns, at.ncol);
  bytes.writeUInt32LE(fields.features, at.feat);
  bytes.writeInt32LE(fields.syscallNumber, at.sysno);
  planes.forEach((plane, i) => writePlane(bytes, at.plane + i * PLANE_LAYOUT.bytes, plane));
  fields.slots.forEach((slot, i) => writeSlot(bytes, at.slot + i * SLOT_LAYOUT.bytes, slot));
  return bytes;
}

function writePlane(bytes: Buffer, offset: number, plane: PlaneFields): void {
  const at = PLANE_LAYOUT.at;
  bytes.writeUInt8(plane.source, offset + at.src);
  bytes.writeUInt8(plane.slot, offset + at.slot);
  bytes.writeUInt8(plane.kind, offset + at.kind);
  bytes.writeUInt8(plane.field, offset + at.field);
  bytes.writeUInt8(plane.first ? 1 : 0, offset + at.first);
  bytes.writeUInt8(plane.classCount, offset + at.ncls);
  bytes.writeUInt8(plane.firstClass, offset + at.cls0);
  bytes.writeUInt8(plane.suffixWords, offset + at.nlen);
}

function writeSlot(bytes: Buffer, offset: number, slot: SlotFields): void {
  if (slot.steps.length > PAL_STEPS) throw new RangeError('more steps than pal_slot holds');
  const at = SLOT_LAYOUT.at;
  bytes.writeUInt8(slot.type, offset + at.type);
  bytes.writeUInt8(slot.source, offset + at.src);
  bytes.writeUInt8(slot.register, offset + at.reg);
  bytes.writeUInt8(slot.steps.length, offset + at.nsteps);
  bytes.writeUInt8(slot.sizeSlot ?? PAL_NO_SIZE_SLOT, offset + at.size_slot);
  bytes.writeUInt8(slot.flags, offset + at.flags);
  bytes.writeUInt8(slot.width, offset + at.width);
  bytes.writeUInt8(slot.storage === 'memory' ? 1 : 0, offset + at.cls);
  bytes.writeUInt32LE(slot.maxBytes, offset + at.max);
  slot.steps.forEach((step, i) => bytes.writeUInt32LE(step >>> 0, offset + at.step + 4 * i));
}

/** A slot as the engine reads it, without its name for storage. */
export function readSlot(config: Buffer, number: number): SlotFields {
  const at = SLOT_LAYOUT.at;
  const offset = CFG_LAYOUT.at.slot + number * SLOT_LAYOUT.bytes;
  const sizeSlot = config.readUInt8(offset + at.size_slot);
  return {
    type: config.readUInt8(offset + at.type),
    source: config.readUInt8(offset + at.src),
    register: config.readUInt8(offset + at.reg),
    flags: config.readUInt8(offset + at.flags),
    width: config.readUInt8(offset + at.width),
    storage: config.readUInt8(offset + at.cls) === 1 ? 'memory' : 'scalar',
    maxBytes: config.readUInt32LE(offset + at.max),
    steps: Array.from({ length: config.readUInt8(offset + at.nsteps) }, (_, i) => config.readUInt32LE(offset + at.step + 4 * i)),
    ...(sizeSlot === PAL_NO_SIZE_SLOT ? {} : { sizeSlot }),
  };
}

/** The planes as the engine walks them. For the model of the engine and for people who debug. */
export function readPlanes(config: Buffer): readonly PlaneFields[] {
  const at = PLANE_LAYOUT.at;
  const planes: PlaneFields[] = [];
  for (let i = 0; i < config.readUInt32LE(CFG_LAYOUT.at.np_mem); i += 1) {
    const offset = CFG_LAYOUT.at.plane + i * PLANE_LAYOUT.bytes;
    planes.push({
      source: config.readUInt8(offset + at.src),
      slot: config.readUInt8(offset + at.slot),
      kind: config.readUInt8(offset + at.kind),
      field: config.readUInt8(offset + at.field),
      first: config.readUInt8(offset + at.first) === 1,
      classCount: config.readUInt8(offset + at.ncls),
      firstClass: config.readUInt8(offset + at.cls0),
      suffixWords: config.readUInt8(offset + at.nlen),
    });
  }
  return planes;
}
