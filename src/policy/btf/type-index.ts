/** Finds types by name. Each index is made when it is first asked, in one pass. */
import { intType, parametersOf, plainType, pointee, type Parameter } from './types.ts';
import { once } from './once.ts';
import { openTypeTable, type BtfKind, type TypeTable } from './type-table.ts';

export type Prototype = { readonly parameters: readonly Parameter[]; readonly returns: number };

/** The type information of a kernel or module, and what can be asked of it. */
export type Btf = {
  /** What it was opened from. */
  readonly bytes: Uint8Array;
  readonly types: TypeTable;
  /** Names of all functions that it describes. */
  readonly functionNames: () => Iterable<string>;
  readonly prototypeOf: (functionName: string) => Prototype | undefined;
  /** Hooks of BPF LSM, by the functions `bpf_lsm_…`: names without that prefix. */
  readonly lsmHooks: () => ReadonlySet<string>;
  readonly lsmPrototypeOf: (hook: string) => Prototype | undefined;
  /** What raw tracepoint programs get, by the types `btf_trace_…`. */
  readonly tracePrototypeOf: (event: string) => Prototype | undefined;
  readonly hasRawTracepoint: (event: string) => boolean;
  /** A structure or union that is defined, or a typedef, by name. */
  readonly findType: (name: string) => number | undefined;
  readonly typeNames: () => Iterable<string>;
  /** The values of an enumeration. */
  readonly enumValues: (name: string) => ReadonlyMap<string, bigint> | undefined;
};

const LSM_PREFIX = 'bpf_lsm_';
/** Functions of BPF LSM itself that are called like its hooks. The loader has the same list (native/loader, btf.rs). */
const NO_HOOKS: ReadonlySet<string> = new Set([
  'func_proto',
  'verify_prog',
  'is_sleepable_hook',
  'is_trusted',
  'find_cgroup_shim',
  'get_retval_range',
  'has_d_inode_locked',
  'hook_returns_errno',
]);
const TRACE_PREFIX = 'btf_trace_';

/** Throws `BtfError` for bytes that are no type information. `base`: the kernel's, when the bytes are a module's. */
export function openBtf(bytes: Uint8Array, base?: Btf): Btf {
  const types = openTypeTable(bytes, base?.types);
  const functions = once(() => indexOf(types, (kind) => kind === 'func'));
  const composites = once(() => indexOf(types, (kind) => kind === 'struct' || kind === 'union'));
  const typedefs = once(() => indexOf(types, (kind) => kind === 'typedef'));
  const enums = once(() => indexOf(types, (kind) => kind === 'enum' || kind === 'enum64'));
  const lsmHooks = once(() => new Set(hooksAmong(functions().keys())));
  const prototypeOf = (name: string): Prototype | undefined => {
    const id = functions().get(name);
    return id === undefined ? base?.prototypeOf(name) : readPrototype(types, types.sizeOrTypeOf(id), 0);
  };
  const traceTypeOf = (event: string): number | undefined => typedefs().get(`${TRACE_PREFIX}${event}`);
  return {
    bytes,
    types,
    functionNames: () => functions().keys(),
    prototypeOf,
    lsmHooks,
    lsmPrototypeOf: (hook) => prototypeOf(`${LSM_PREFIX}${hook}`),
    hasRawTracepoint: (event) => traceTypeOf(event) !== undefined,
    tracePrototypeOf: (event) => {
      const id = traceTypeOf(event);
      const target = id === undefined ? undefined : pointee(types, id);
      // The first parameter is the tracepoint's own.
      return target === undefined ? base?.tracePrototypeOf(event) : readPrototype(types, plainType(types, target), 1);
    },
    findType: (name) => composites().get(name) ?? typedefs().get(name) ?? base?.findType(name),
    typeNames: () => composites().keys(),
    enumValues: (name) => {
      const id = enums().get(name);
      return id === undefined ? base?.enumValues(name) : readEnum(types, id);
    },
  };
}

/** Of types with one name the first counts. */
function indexOf(types: TypeTable, isWanted: (kind: BtfKind) => boolean): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (let id = types.ownFrom; id < types.count; id += 1) {
    if (!isWanted(types.kindOf(id))) continue;
    const name = types.nameOf(id);
    if (name !== '' && !found.has(name)) found.set(name, id);
  }
  return found;
}

function readPrototype(types: TypeTable, id: number, hidden: number): Prototype | undefined {
  if (types.kindOf(id) !== 'func_proto') return undefined;
  return { parameters: parametersOf(types, id).slice(hidden), returns: types.sizeOrTypeOf(id) };
}

function readEnum(types: TypeTable, id: number): ReadonlyMap<string, bigint> {
  const words = types.kindOf(id) === 'enum64' ? 3 : 2;
  const signed = intType(types, id)?.signed === true;
  const values = new Map<string, bigint>();
  for (let index = 0; index < types.lengthOf(id); index += 1) {
    const low = BigInt(types.wordOf(id, index * words + 1));
    const high = words === 3 ? BigInt(types.wordOf(id, index * words + 2)) : 0n;
    const value = (high << 32n) | low;
    values.set(types.textAt(types.wordOf(id, index * words)), signed ? BigInt.asIntN(words === 3 ? 64 : 32, value) : value);
  }
  return values;
}

function* hooksAmong(names: Iterable<string>): Generator<string> {
  for (const name of names) {
    const after = name.startsWith(LSM_PREFIX) ? name.slice(LSM_PREFIX.length) : '';
    if (after !== '' && !NO_HOOKS.has(after)) yield after;
  }
}
