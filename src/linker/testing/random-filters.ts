/** Random filters on arguments and processes. Values come from small sets, so that many filters match. */
import type {
  FileType,
  PlanArg,
  PlanArgType,
  PlanBytesOperator,
  PlanCelNode,
  PlanCelType,
  PlanFilter,
  PlanRange,
  PlanSocketFilter,
} from '../../policy/plan.ts';
import { integerOf, scalarType } from '../slot-type.ts';
import { LINUX_NAMESPACES, ofType } from './policy-arbitraries.ts';
import type { Random } from './random.ts';

const LONG = 'x'.repeat(255);
export const TEXTS: readonly string[] = [
  '/etc/',
  '/etc/passwd',
  '/etc/passwd-',
  '/etc',
  '/e',
  '/var/lib/x',
  'passwd',
  'PassWD',
  'd',
  'wd',
  'häuser',
  LONG,
  `${LONG}y`,
  `${LONG}${LONG}`,
  `${LONG}${LONG}/etc/passwd`,
  `${LONG}/etc/`,
  'y',
];
export const INTS: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  -1n,
  127n,
  128n,
  255n,
  256n,
  65_535n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  -0x8000_0000n,
  0x1_0000_0000n,
  -(1n << 63n),
];
const LONG_PATH = `/opt/${'z'.repeat(290)}`;
/** Some system calls of x86-64 by number. */
export const SYSCALLS: Readonly<Record<string, string>> = { 1: 'sys_write', 2: 'sys_open', 3: 'sys_close' };
export const BINARIES: readonly string[] = ['/bin/sh', '/bin/cat', '/usr/bin/python3', '/bin/s', '/usr/bin/sh', `${LONG_PATH}/sh`];
export const PIDS: readonly number[] = [1, 2, 100, 200];
export const POD_NAMESPACES: readonly string[] = ['default', 'kube-system'];
export const FAMILIES: readonly number[] = [1, 2, 10];
export const PROTOCOLS: readonly number[] = [0, 6, 17];
export const STATES: readonly number[] = [0, 1, 10];
export const PORTS: readonly number[] = [0, 22, 80, 443, 1023, 1024, 8080];
const NETWORKS = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.3/32',
  '192.168.1.0/24',
  '::/0',
  '2001:db8::/32',
  '2001:db8::1/128',
  'fe80::/10',
];
const FILE_TYPES: readonly FileType[] = ['sock', 'lnk', 'reg', 'blk', 'dir', 'chr', 'fifo'];
const MASKS = ['1', '2', '3', '255', '2097152', '9223372036854775808'];
const BYTES_OPERATORS: readonly PlanBytesOperator[] = ['Equal', 'NotEqual', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix'];
const BINARY_OPERATORS = ['In', 'NotIn', 'In', 'NotIn', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix'] as const;
const SETS = ['effective', 'permitted', 'inheritable'] as const;
const SOCKET_FIELDS: Readonly<Record<PlanSocketFilter['field'], readonly number[]>> = {
  sourcePort: PORTS,
  destinationPort: PORTS,
  protocol: PROTOCOLS,
  family: FAMILIES,
  state: STATES,
};

export const INT_TYPES: readonly PlanArgType[] = [
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'capability',
  'bpf_cmd',
  'syscall64',
];
export const CAPABILITY_TYPES: readonly PlanArgType[] = ['kernel_cap_t', 'cap_effective', 'cap_permitted', 'cap_inheritable'];
export const TEXT_TYPES: readonly PlanArgType[] = [
  'string',
  'filename',
  'path',
  'file',
  'dentry',
  'fd',
  'kiocb',
  'linux_binprm',
  'char_buf',
  'char_iovec',
  'iov_iter',
  'net_device',
  'sockaddr_un',
];
export const SOCKET_TYPES: readonly PlanArgType[] = ['sock', 'socket', 'skb', 'sockaddr'];
export const SHOWN_TYPES: readonly PlanArgType[] = ['cred', 'const_buf', 'nop'];

/** Null: nothing compares this argument. */
export function argumentFilter(random: Random, args: readonly PlanArg[], arg: number): PlanFilter | null {
  const type = args[arg]?.type ?? 'nop';
  const isSet = scalarType(type) !== null;
  if (integerOf(type) !== null || isSet) return random.oneIn(5) ? overSeveral(random, args, arg) : numberFilter(random, type, arg);
  if (SOCKET_TYPES.includes(type)) return socketFilter(random, arg);
  return TEXT_TYPES.includes(type) ? textFilter(random, type, arg) : null;
}

function numberFilter(random: Random, type: PlanArgType, arg: number): PlanFilter {
  const number = (): bigint => ofType(random.pick(INTS), type);
  switch (random.int(3)) {
    case 0: {
      const values = [...new Set(Array.from({ length: 1 + random.int(4) }, number))].toSorted(byNumber).map(String);
      const names = type === 'syscall64' && random.oneIn(2) ? random.some(Object.values(SYSCALLS), 2).toSorted() : [];
      return { on: 'int', arg, operator: random.pick(['Equal', 'NotEqual']), values: [...values, ...names] };
    }
    case 1: {
      const ranges = Array.from({ length: 1 + random.int(2) }, (): PlanRange => {
        const [min = 0n, max = 0n] = [number(), number()].toSorted(byNumber);
        return [String(min), String(max)];
      });
      return { on: 'range', arg, operator: random.pick(['InRange', 'NotInRange']), ranges };
    }
    default:
      return { on: 'mask', arg, mask: random.pick(MASKS) };
  }
}

function byNumber(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** CapabilitiesGained over two sets, CelExpr over numbers. */
function overSeveral(random: Random, args: readonly PlanArg[], arg: number): PlanFilter {
  const type = args[arg]?.type ?? 'nop';
  if (scalarType(type) !== null) {
    const sets = args.flatMap((other, i) => (scalarType(other.type) === null ? [] : [i]));
    return { on: 'gained', before: arg, after: random.pick(sets) };
  }
  const numbers = args.flatMap((other, i) => (celType(other.type) === null ? [] : [i]));
  if (numbers.length === 0) return numberFilter(random, type, arg);
  return { on: 'cel', expression: condition(random, args, numbers, 3) };
}

function celType(type: PlanArgType | undefined): PlanCelType | null {
  return type === 'int32' || type === 'uint32' || type === 'int64' || type === 'uint64' ? type : null;
}

function condition(random: Random, args: readonly PlanArg[], numbers: readonly number[], depth: number): PlanCelNode {
  const bool = { type: 'bool' } as const;
  if (depth > 0 && random.oneIn(2)) {
    if (random.oneIn(4)) return { ...bool, op: 'not', of: condition(random, args, numbers, depth - 1) };
    return {
      ...bool,
      op: random.pick(['all', 'any', 'xor']),
      left: condition(random, args, numbers, depth - 1),
      right: condition(random, args, numbers, depth - 1),
    };
  }
  const type = celType(args[random.pick(numbers)]?.type) ?? 'int64';
  const of = (): PlanCelNode => operand(random, args, numbers, type, 2);
  return { ...bool, op: random.pick(['equal', 'unequal', 'less', 'lessOrEqual']), left: of(), right: of() };
}

function operand(random: Random, args: readonly PlanArg[], numbers: readonly number[], type: PlanCelType, depth: number): PlanCelNode {
  const of = (): PlanCelNode => operand(random, args, numbers, type, depth - 1);
  if (depth > 0 && random.oneIn(3)) {
    if (random.oneIn(3)) return { op: random.pick(['negate', 'invert']), type, of: of() };
    return { op: random.pick(['add', 'subtract', 'and', 'or', 'xor']), type, left: of(), right: of() };
  }
  if (random.oneIn(3)) return { op: 'literal', type, value: String(ofType(random.pick(INTS), type === 'bool' ? 'int64' : type)) };
  const arg = random.pick(numbers);
  const actual = celType(args[arg]?.type) ?? 'int64';
  const node: PlanCelNode = { op: 'arg', type: actual, arg };
  return actual === type ? node : { op: 'convert', type, of: node };
}

function textFilter(random: Random, type: PlanArgType, arg: number): PlanFilter {
  if ((type === 'file' || type === 'path') && random.oneIn(5)) {
    return { on: 'fileType', arg, operator: random.pick(['In', 'NotIn']), values: random.some(FILE_TYPES, 3) };
  }
  if (type === 'sockaddr_un' && random.oneIn(4)) return numberOfSocket(random, arg, 'family');
  if (random.oneIn(4)) {
    const values = random.some(TEXTS, 3).filter((text) => Buffer.byteLength(text) <= 255);
    const fold = random.oneIn(2) ? { ignoreCase: true as const } : {};
    return { on: 'substring', arg, ...fold, values: values.length === 0 ? ['d'] : values };
  }
  const operator = random.pick(BYTES_OPERATORS);
  const isEnd = operator === 'Postfix' || operator === 'NotPostfix';
  const values = random.some(TEXTS, 4).filter((text) => !isEnd || Buffer.byteLength(text) <= 248);
  return { on: 'bytes', arg, operator, values: values.length === 0 ? ['wd'] : values };
}

function socketFilter(random: Random, arg: number): PlanFilter {
  if (!random.oneIn(2)) return numberOfSocket(random, arg, random.pick(['sourcePort', 'destinationPort', 'protocol', 'family', 'state']));
  const end = random.pick(['source', 'destination'] as const);
  return { on: 'address', arg, end, operator: random.pick(['In', 'NotIn']), values: random.some(NETWORKS, 3) };
}

function numberOfSocket(random: Random, arg: number, field: PlanSocketFilter['field']): PlanFilter {
  const numbers = SOCKET_FIELDS[field];
  const ranges = Array.from({ length: 1 + random.int(2) }, (): PlanRange => {
    const first = random.pick(numbers);
    const last = random.oneIn(2) ? first : random.pick(numbers);
    return [String(Math.min(first, last)), String(Math.max(first, last))];
  });
  return { on: 'socket', arg, field, operator: random.pick(['In', 'NotIn']), ranges };
}

export function processFilter(random: Random): PlanFilter {
  const operator = random.pick(['In', 'NotIn'] as const);
  switch (random.int(7)) {
    case 0:
    case 1:
      return {
        on: 'binary',
        operator: random.pick(BINARY_OPERATORS),
        values: random.some([...BINARIES, '/bin/', 'sh', '/usr', LONG_PATH, `${LONG_PATH}/x`], 3),
        ...(random.oneIn(4) ? { of: 'parent' as const } : {}),
        ...(random.oneIn(4) ? { followChildren: true as const } : {}),
      };
    case 2:
      return {
        on: 'pid',
        operator,
        values: random.some(PIDS, 3).map(String),
        ...(random.oneIn(3) ? { isNamespacePid: true as const } : {}),
        ...(random.oneIn(2) ? { followForks: true as const } : {}),
      };
    case 3:
      return { on: 'namespace', namespace: random.pick(LINUX_NAMESPACES), operator, values: random.some(['host_ns', '1', '2'], 2) };
    case 4:
      return random.oneIn(2)
        ? { on: 'podNamespace', operator, values: random.some(POD_NAMESPACES, 2) }
        : { on: 'namespaceChange', operator, namespaces: random.some(LINUX_NAMESPACES, 4) };
    default:
      return {
        on: random.oneIn(3) ? 'capabilityChange' : 'capability',
        set: random.pick(SETS),
        operator,
        mask: random.pick(MASKS),
        isNamespaceCapability: random.oneIn(2),
      };
  }
}
