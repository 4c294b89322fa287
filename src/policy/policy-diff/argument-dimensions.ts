import { formatAddress, parseNetwork } from '../addresses.ts';
import { classOf } from '../arg-types.ts';
import { argumentsOf } from '../filter-arguments.ts';
import type { FileType, PlanArg, PlanCelNode, PlanFilter, PlanHook, PlanRange, PlanSocketFilter } from '../plan.ts';
import type { ArgumentWords, DetailedValue } from '../policy-tests/test-schema.ts';
import { type Dimension, MAX_VALUES, distinct, interleaved, neighbours, rarestFirst } from './dimension.ts';
import { type Draft, type Identify, valueOf } from './draft.ts';

/** A value that hooks read, with all filters on it. */
type ReadValue = { readonly identity: string; readonly args: readonly PlanArg[]; readonly filters: readonly PlanFilter[] };

/** What can be varied about the arguments of a call, from what the filters of all these hooks compare them with. */
export function argumentDimensions(hooks: readonly PlanHook[], identify: Identify): readonly Dimension[] {
  return readValues(hooks, identify).flatMap((value) => {
    const [arg] = value.args;
    return arg !== undefined && classOf(arg.type) === 'socket'
      ? socketDimensions(value)
      : [plainDimension(value), ...fileTypeDimensions(value)];
  });
}

function readValues(hooks: readonly PlanHook[], identify: Identify): readonly ReadValue[] {
  const found = new Map<string, { args: PlanArg[]; filters: PlanFilter[] }>();
  for (const hook of hooks) {
    const filters = hook.selectors.flatMap((selector) => [...selector.filters, ...(selector.returnFilters ?? [])]);
    for (const [position, arg] of hook.args.entries()) {
      const about = filters.filter((filter) => argumentsOf(filter).includes(position));
      const entry = found.get(identify(arg)) ?? { args: [], filters: [] };
      found.set(identify(arg), { args: [...entry.args, arg], filters: [...entry.filters, ...about] });
    }
  }
  return [...found].map(([identity, entry]) => ({ identity, ...entry }));
}

const SPECIAL: readonly ArgumentWords[] = ['unknown', 'absent', 'null'];

function plainDimension({ identity, args, filters }: ReadValue): Dimension {
  const isCompared = filters.length > 0;
  const ranking = rankingOf(filters);
  const rare = RANKED.flatMap((on) => (ranking[on] ?? []).slice(0, MAX_RARE).flatMap(on === 'int' ? numberWords : asText));
  const usual = args.flatMap((arg) => usualWords(arg));
  const words = [...usual, ...(isCompared ? SPECIAL : []), ...rare, ...interleaved(filters.map(wordsOf(filters, ranking)))];
  const readable = distinct(words, MAX_VALUES * 6).filter((each) => args.every((arg) => valueOf(arg, each) !== undefined));
  return { name: identity, choices: readable.map((each) => withArgument(identity, each)) };
}

/** What nobody compares has a plain value, so that the printed call is complete. */
function usualWords({ type }: PlanArg): readonly ArgumentWords[] {
  switch (classOf(type)) {
    case 'integer':
      return [0];
    case 'capabilities':
      return [[]];
    case 'text':
    case 'auto':
      return ['/tmp/x'];
    case 'socket':
      return [{}];
    case 'shown':
      return ['-'];
  }
}

function withArgument(identity: string, words: ArgumentWords): (draft: Draft) => Draft {
  return (draft) => ({ ...draft, args: new Map([...draft.args, [identity, words]]) });
}

/** Candidates from one filter; of long lists first what the same filter elsewhere has not. */
function wordsOf(all: readonly PlanFilter[], ranking: Ranking): (filter: PlanFilter) => readonly ArgumentWords[] {
  return (filter) => {
    switch (filter.on) {
      case 'int':
        return pick(filter, ranking).flatMap(numberWords);
      case 'range':
        return filter.ranges.slice(0, MAX_VALUES).flatMap((range) => range.flatMap(around));
      case 'mask':
        return masksOf(BigInt(filter.mask), all).flatMap((bits) => [String(bits), String(BigInt.asIntN(64, bits))]);
      case 'bytes':
        return pick(filter, ranking).flatMap(neighbours).flatMap(asText);
      case 'substring':
        return pick(filter, ranking)
          .flatMap((text) => [...neighbours(text), ...(filter.ignoreCase === true ? otherCases(text) : [])])
          .flatMap(asText);
      case 'gained':
        return [['CAP_CHOWN'], ['CAP_CHOWN', 'CAP_SYS_ADMIN'], ['CAP_SYS_ADMIN'], []];
      case 'cel':
        return withCombined(literalsIn(filter.expression)).flatMap(around);
      default:
        return [];
    }
  };
}

function otherCases(text: string): readonly string[] {
  return [text.toUpperCase(), text.toLowerCase()].filter((other) => other !== text);
}

const RANKED = ['int', 'bytes', 'substring'] as const;
/** Of these there are few, and they are tried before all others. */
const MAX_RARE = 8;

type Ranking = Readonly<Partial<Record<PlanFilter['on'], readonly string[]>>>;

/** The values of all filters of a kind, those first that not all of them have. */
function rankingOf(filters: readonly PlanFilter[]): Ranking {
  const listsOf = (on: PlanFilter['on']): readonly (readonly string[])[] =>
    filters.flatMap((filter) => (filter.on === on && 'values' in filter ? [filter.values] : []));
  return { int: rarestFirst(listsOf('int')), bytes: rarestFirst(listsOf('bytes')), substring: rarestFirst(listsOf('substring')) };
}

function pick(filter: PlanFilter & { readonly values: readonly string[] }, ranking: Ranking): readonly string[] {
  const own = new Set<string>(filter.values);
  const picked: string[] = [];
  for (const value of ranking[filter.on] ?? []) {
    if (own.has(value)) picked.push(value);
    if (picked.length === MAX_VALUES) break;
  }
  return picked;
}

/** Values of integers are numbers, or names of system calls. */
function numberWords(text: string): readonly ArgumentWords[] {
  return /^-?[0-9]+$/.test(text) ? around(text) : [text];
}

/** A number and its neighbours, in quotes: they may be larger than what YAML keeps exact. */
function around(text: string): readonly ArgumentWords[] {
  const value = BigInt(text);
  return [value, value + 1n, value - 1n].map((each) =>
    BigInt(Number(each)) === each && Number.isSafeInteger(Number(each)) ? Number(each) : String(each),
  );
}

const MAX_BITS = 4;

/** Single bits, all bits of the mask, and all bits of all masks: several filters may each want one of theirs. */
function masksOf(mask: bigint, all: readonly PlanFilter[]): readonly bigint[] {
  const bits = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)).filter((bit) => (mask & bit) !== 0n);
  const union = all.reduce((merged, filter) => (filter.on === 'mask' ? merged | BigInt(filter.mask) : merged), 0n);
  const few = [...bits.slice(0, MAX_BITS), ...bits.slice(-1)];
  return [...few, mask, union, ...few.map((bit) => union & ~bit), ...few.map((bit) => bit << 1n).filter((bit) => bit < 1n << 64n)];
}

/** Words of the format stand for themselves only inside an object; what YAML cannot hold or a terminal would obey is written as bytes. */
function asText(text: string): readonly ArgumentWords[] {
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]|\p{Bidi_Control}/u.test(text))
    return [{ hex: Buffer.from(text).toString('hex') }];
  return SPECIAL.includes(text) ? [{ text }] : [text];
}

/** `arg0 + 5 == 9` asks for none of its numbers. */
function withCombined(literals: readonly string[]): readonly string[] {
  const few = literals.slice(0, MAX_COMBINED).map(BigInt);
  const pairs = few.flatMap((one) => few.flatMap((other) => [one + other, one - other, one ^ other]));
  return [...literals, ...pairs.map(String)];
}

const MAX_COMBINED = 6;

function literalsIn(node: PlanCelNode): readonly string[] {
  if (node.op === 'literal') return [node.value];
  if ('of' in node) return literalsIn(node.of);
  return 'left' in node ? [...literalsIn(node.left), ...literalsIn(node.right)] : [];
}

const FILE_TYPES: readonly FileType[] = ['reg', 'dir', 'lnk', 'chr', 'blk', 'fifo', 'sock'];

/** The type goes with whatever path the draft has. */
function fileTypeDimensions({ identity, filters }: ReadValue): readonly Dimension[] {
  if (!filters.some((filter) => filter.on === 'fileType')) return [];
  const choices = FILE_TYPES.map((fileType) => (draft: Draft): Draft => {
    const words = draft.args.get(identity);
    const text =
      typeof words === 'string' ? words : typeof words === 'object' && !Array.isArray(words) ? (words.text ?? '/tmp/x') : '/tmp/x';
    return SPECIAL.includes(text) ? draft : withArgument(identity, fileType === 'reg' ? text : { text, fileType })(draft);
  });
  return [{ name: `${identity} file type`, choices }];
}

function socketDimensions({ identity, filters }: ReadValue): readonly Dimension[] {
  const fields: readonly (readonly [keyof DetailedValue, readonly (string | number | undefined)[]])[] = [
    ['daddr', [undefined, ...addresses(filters, 'destination')]],
    ['saddr', [undefined, ...addresses(filters, 'source')]],
    ['dport', [undefined, ...numbers(filters, 'destinationPort', 65_535)]],
    ['sport', [undefined, ...numbers(filters, 'sourcePort', 65_535)]],
    ['protocol', [undefined, ...numbers(filters, 'protocol', 65_535)]],
    ['state', [undefined, ...numbers(filters, 'state', 255)]],
    ['family', [undefined, ...numbers(filters, 'family', 65_535)]],
  ];
  const whole: Dimension = {
    name: identity,
    choices: [{}, ...(filters.length > 0 ? SPECIAL : [])].map((words) => withArgument(identity, words)),
  };
  const parts = fields.map(([field, values]): Dimension => {
    const choices = distinct(values, MAX_VALUES * 2).map((value) => (draft: Draft): Draft => {
      const words = draft.args.get(identity);
      const { [field]: _, ...others } = typeof words === 'object' && !Array.isArray(words) ? words : {};
      return withArgument(identity, value === undefined ? others : { ...others, [field]: value })(draft);
    });
    return { name: `${identity} ${field}`, choices };
  });
  return [whole, ...parts.filter(({ choices }) => choices.length > 1)];
}

function addresses(filters: readonly PlanFilter[], end: 'source' | 'destination'): readonly string[] {
  const about = filters.flatMap((filter) => (filter.on === 'address' && filter.end === end ? [filter.values] : []));
  if (about.length === 0) return [];
  return ['192.0.2.1', '2001:db8:ffff::1', ...rarestFirst(about).slice(0, MAX_VALUES).flatMap(inAndBeside)];
}

/** The first address of a network, the last one, and the next after it. */
function inAndBeside(text: string): readonly string[] {
  const network = parseNetwork(text);
  if (network === undefined) return [];
  const { bytes, prefixBits } = network;
  const bits = BigInt(bytes.length * 8);
  const first = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  const size = 1n << (bits - BigInt(prefixBits));
  return [first, first + size - 1n, first + size, first - 1n]
    .filter((value) => value >= 0n && value < 1n << bits)
    .map((value) => formatAddress(Buffer.from(value.toString(16).padStart(bytes.length * 2, '0'), 'hex')));
}

function numbers(filters: readonly PlanFilter[], field: PlanSocketFilter['field'], max: number): readonly number[] {
  const ranges = filters.flatMap((filter): readonly PlanRange[] => (filter.on === 'socket' && filter.field === field ? filter.ranges : []));
  return ranges
    .slice(0, MAX_VALUES)
    .flatMap(([from, to]) => [Number(from), Number(to), Number(to) + 1, Number(from) - 1])
    .filter((value) => value >= 0 && value <= max);
}
