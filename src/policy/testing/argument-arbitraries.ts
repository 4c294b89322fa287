import fc from 'fast-check';
import { classOf, isRawBuffer, numberRangeOf } from '../arg-types.ts';
import { parseAddress } from '../addresses.ts';
import { PLAN_TYPES } from '../compile/argument-types.ts';
import type { ArgValue } from '../evaluate/event.ts';
import { parseInteger } from '../integers.ts';
import type { PlanArgType } from '../plan.ts';
import type { ArgTypeName } from '../schema/arguments.ts';

/** Small alphabets, so that values of policies and of calls meet. */
const TEXTS = ['/etc/shadow', '/etc/', '/etc', '/tmp/a.conf', '.conf', 'ETC', 'etc', 'x'] as const;
const BYTES = ['/etc/', 'x', 'a\0b', '\0'] as const;
const DEVICES = ['eth0', 'eth', 'lo', '0'] as const;
const NUMBERS = [
  '0',
  '1',
  '2',
  '5',
  '-1',
  '0x7f',
  '128',
  '255',
  '-128',
  '65535',
  '2147483648',
  '4294967295',
  '9223372036854775808',
] as const;
const NETWORKS = ['10.0.0.0/8', '10.0.0.1', '192.168.0.0/16', '2001:db8::/32', '::1', '0.0.0.0/1'] as const;
const ADDRESSES = ['10.0.0.1', '10.1.2.3', '192.168.0.1', '172.16.0.1', '2001:db8::1', '::1'] as const;
const PORTS = [0, 80, 443, 1023, 1024, 8080] as const;
const FILE_MODES = [0o100_644, 0o040_755, 0o010_600, 0o140_777, 0o020_666] as const;

/** A filter of a spec, for matchArgs and its likes. */
export type FilterSpec = {
  readonly index?: number;
  readonly args?: readonly number[];
  readonly operator: string;
  readonly values?: readonly string[];
};

export function someOf<T>(choices: readonly T[]): fc.Arbitrary<T[]> {
  return fc.uniqueArray(fc.constantFrom(...choices), { minLength: 1, maxLength: 3 });
}

function filter(index: number, operators: readonly string[], values: fc.Arbitrary<readonly string[]>): fc.Arbitrary<FilterSpec> {
  return fc.record({ index: fc.constant(index), operator: fc.constantFrom(...operators), values });
}

/** Filters that compile, on the argument of this index. */
export function filterOn(index: number, name: ArgTypeName): readonly fc.Arbitrary<FilterSpec>[] {
  const type = PLAN_TYPES[name];
  switch (classOf(type)) {
    case 'integer':
      return numberFilters(index, type);
    case 'auto':
      return [...numberFilters(index, type), ...textFilters(index, type)];
    case 'capabilities':
      return [
        filter(index, ['Equal', 'NotEqual', 'In', 'NotIn'], someOf(['0', '1', 'CAP_CHOWN,CAP_KILL', '0x3'])),
        filter(index, ['Mask'], someOf(['CAP_CHOWN', '2', 'CAP_FOWNER, CAP_SYS_ADMIN'])),
      ];
    case 'text':
      return textFilters(index, type);
    case 'socket':
      return socketFilters(index, type);
    case 'shown':
      return [];
  }
}

function numbersOf(type: PlanArgType): readonly string[] {
  const range = numberRangeOf(type);
  return NUMBERS.filter((text) => {
    const value = parseInteger(text);
    return value !== undefined && range !== undefined && range.min < value && value < range.max;
  });
}

function numberFilters(index: number, type: PlanArgType): readonly fc.Arbitrary<FilterSpec>[] {
  const numbers = numbersOf(type);
  const positive = numbers.filter((text) => text !== '0' && !text.startsWith('-'));
  const range = fc.tuple(fc.constantFrom(...numbers), fc.constantFrom(...numbers)).map(([a, b]) => {
    return BigInt(a) <= BigInt(b) ? `${a}:${b}` : `${b}:${a}`;
  });
  const ranges = fc.array(range, { minLength: 1, maxLength: 2 });
  return [
    filter(index, ['Equal', 'NotEqual', 'In', 'NotIn'], someOf(numbers)),
    filter(index, ['GT', 'GreaterThan', 'LT', 'LessThan'], someOf(numbers)),
    filter(index, ['InRange', 'NotInRange'], ranges),
    filter(
      index,
      ['InMap', 'NotInMap'],
      fc.tuple(someOf(numbers), ranges).map((parts) => parts.flat()),
    ),
    filter(index, ['InMap', 'NotInMap'], someOf(numbers)),
    filter(index, ['Mask'], someOf(positive)),
  ];
}

function textFilters(index: number, type: PlanArgType): readonly fc.Arbitrary<FilterSpec>[] {
  const texts = someOf(textsOf(type));
  const isFile = type === 'file' || type === 'path';
  return [
    filter(index, ['Equal', 'NotEqual', 'In', 'NotIn'], texts),
    filter(index, ['Prefix', 'NotPrefix', 'Postfix', 'NotPostfix'], texts),
    filter(index, ['SubString', 'SubStringIgnCase'], texts),
    ...(isFile ? [filter(index, ['FileType', 'NotFileType'], someOf(['reg', 'dir', 'pipe', 'socket']))] : []),
    ...(type === 'sockaddr_un' ? [filter(index, ['Family'], someOf(['AF_UNIX', 'AF_INET']))] : []),
  ];
}

function textsOf(type: PlanArgType): readonly string[] {
  return type === 'net_device' ? DEVICES : isRawBuffer(type) ? BYTES : TEXTS;
}

function socketFilters(index: number, type: PlanArgType): readonly fc.Arbitrary<FilterSpec>[] {
  const ports = someOf(['80', '443', '1000:1100', '8080', '0']);
  const both = type !== 'sockaddr';
  return [
    filter(index, both ? ['SAddr', 'NotSAddr', 'DAddr', 'NotDAddr'] : ['SAddr', 'NotSAddr'], someOf(NETWORKS)),
    filter(index, both ? ['SPort', 'NotSPort', 'DPort', 'NotDPort'] : ['SPort', 'NotSPort'], ports),
    fc
      .constantFrom(...(both ? ['SPortPriv', 'NotSportPriv', 'DPortPriv', 'NotDPortPriv'] : ['SPortPriv', 'NotSportPriv']))
      .map((operator) => ({ index, operator })),
    filter(index, ['Family'], someOf(['AF_INET', 'AF_INET6', '1'])),
    ...(both ? [filter(index, ['Protocol'], someOf(['IPPROTO_TCP', 'IPPROTO_UDP']))] : []),
    ...(type === 'sock' || type === 'socket' ? [filter(index, ['State'], someOf(['TCP_ESTABLISHED', 'TCP_LISTEN', '7']))] : []),
  ];
}

/** Filters on several arguments. */
export function filterOnAll(types: readonly ArgTypeName[]): readonly fc.Arbitrary<FilterSpec>[] {
  const positions = [...types.entries()];
  const sets = positions.filter(([, name]) => classOf(PLAN_TYPES[name]) === 'capabilities').map(([position]) => position);
  const gained = sets.length < 2 ? [] : [fc.shuffledSubarray(sets, { minLength: 2, maxLength: 2 })];
  const expressions = positions.flatMap(([position, name]) => expressionsOn(`arg${position}`, PLAN_TYPES[name]));
  return [
    ...gained.map((args) => args.map((each): FilterSpec => ({ operator: 'CapabilitiesGained', args: each }))),
    ...(expressions.length === 0 ? [] : [expression(expressions)]),
  ];
}

function expression(terms: readonly string[]): fc.Arbitrary<FilterSpec> {
  const term = fc.constantFrom(...terms);
  return fc
    .oneof(
      term,
      fc.tuple(term, fc.constantFrom('&&', '||', '=='), term).map(([a, operator, b]) => `(${a}) ${operator} (${b})`),
    )
    .map((text): FilterSpec => ({ operator: 'CelExpr', values: [text] }));
}

const LITERALS: Readonly<Partial<Record<PlanArgType, string>>> = { int32: 'int32(5)', uint32: 'uint32(5u)', int64: '5', uint64: '0x5u' };

function expressionsOn(name: string, type: PlanArgType): readonly string[] {
  const literal = LITERALS[type];
  return literal === undefined
    ? []
    : [
        `${name} > ${literal}`,
        `!(${name} == ${literal})`,
        `and(${name}, ${literal}) != ${name} - ${name}`,
        `${name} + ${literal} <= ${name}`,
      ];
}

const UNKNOWN = fc.constantFrom<ArgValue>({ kind: 'unknown' }, { kind: 'null' }, { kind: 'absent' });

/** What a call may have for an argument of this type; one in ten cannot be compared. */
export function valueOf(type: PlanArgType): fc.Arbitrary<ArgValue> {
  return fc.oneof({ weight: 9, arbitrary: knownValueOf(type) }, { weight: 1, arbitrary: UNKNOWN });
}

function knownValueOf(type: PlanArgType): fc.Arbitrary<ArgValue> {
  switch (classOf(type)) {
    case 'integer':
    case 'capabilities':
      return numberOf(type);
    case 'auto':
      return fc.oneof(numberOf(type), textOf(type));
    case 'text':
      return textOf(type);
    case 'socket':
      return SOCKET;
    case 'shown':
      return fc.constant<ArgValue>({ kind: 'shown' });
  }
}

function numberOf(type: PlanArgType): fc.Arbitrary<ArgValue> {
  const range = numberRangeOf(type) ?? { min: 0n, max: 0n };
  const ends = type === 'auto' ? [] : [range.min, range.max];
  return fc.constantFrom(...numbersOf(type).map(BigInt), ...ends).map((value): ArgValue => ({ kind: 'int', value }));
}

function textOf(type: PlanArgType): fc.Arbitrary<ArgValue> {
  const texts = textsOf(type);
  const text = fc.oneof(
    fc.constantFrom(...texts),
    fc.tuple(fc.constantFrom(...texts), fc.constantFrom(...texts)).map((parts) => parts.join('')),
  );
  return fc
    .tuple(text, fc.constantFrom(undefined, ...FILE_MODES), fc.constantFrom(undefined, 1, 2))
    .map(([value, fileMode, family]): ArgValue => {
      const bytes = { kind: 'bytes' as const, value: Buffer.from(value) };
      const isFile = type === 'file' || type === 'path';
      return {
        ...bytes,
        ...(isFile && fileMode !== undefined ? { fileMode } : {}),
        ...(type === 'sockaddr_un' && family !== undefined ? { family } : {}),
      };
    });
}

const address = fc.constantFrom(null, ...ADDRESSES).map((text) => (text === null ? null : (parseAddress(text) ?? null)));

const SOCKET: fc.Arbitrary<ArgValue> = fc.record({
  kind: fc.constant('socket' as const),
  family: fc.constantFrom(1, 2, 10),
  protocol: fc.constantFrom(0, 6, 17),
  state: fc.constantFrom(0, 1, 7, 10),
  source: address,
  destination: address,
  sourcePort: fc.constantFrom(...PORTS),
  destinationPort: fc.constantFrom(...PORTS),
});
