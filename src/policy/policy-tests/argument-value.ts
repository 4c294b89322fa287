import { parseAddress, unmapped } from '../addresses.ts';
import { classOf, numberRangeOf } from '../arg-types.ts';
import { CAPABILITIES, capabilityNumber } from '../capabilities.ts';
import { parseSyscall } from '../compile/symbols.ts';
import type { ArgValue, SocketValue, TextValue } from '../evaluate/event.ts';
import { parseInteger } from '../integers.ts';
import { didYouMean } from '../nearest.ts';
import { ADDRESS_FAMILIES, IP_PROTOCOLS, TCP_STATES } from '../network-names.ts';
import type { FileType, PlanArg } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ArgumentWords, DetailedValue } from './test-schema.ts';

const WORDS: ReadonlyMap<ArgumentWords, ArgValue> = new Map<ArgumentWords, ArgValue>([
  ['unknown', { kind: 'unknown' }],
  ['absent', { kind: 'absent' }],
  ['null', { kind: 'null' }],
]);

/** What a test says about an argument, as the engine would have read it; undefined after a problem. */
export function readArgument(sink: ProblemSink, path: string, arg: PlanArg, words: ArgumentWords): ArgValue | undefined {
  const special = WORDS.get(words);
  if (special !== undefined) return special;
  switch (classOf(arg.type)) {
    case 'integer':
      return readNumber(sink, path, arg, words);
    case 'capabilities':
      return readCapabilitySet(sink, path, arg, words);
    case 'text':
      return readText(sink, path, arg, words);
    case 'socket':
      return readSocket(sink, path, arg.type, words);
    case 'auto':
      return typeof words === 'number' ? readNumber(sink, path, arg, words) : readText(sink, path, arg, words);
    case 'shown':
      return { kind: 'shown' };
  }
}

function refuse(sink: ProblemSink, path: string, { type }: PlanArg, words: ArgumentWords, right: string): undefined {
  sink.error('BadTestValue', path, `${quote(words)} is no value of type ${type}`, right);
  return undefined;
}

function readNumber(sink: ProblemSink, path: string, arg: PlanArg, words: ArgumentWords): ArgValue | undefined {
  if (typeof words !== 'number' && typeof words !== 'string') return refuse(sink, path, arg, words, 'give a number');
  if (arg.type === 'capability' && typeof words === 'string') {
    const bit = capabilityNumber(words.toUpperCase());
    if (bit !== undefined) return { kind: 'int', value: BigInt(bit) };
  }
  if (arg.type === 'syscall64' && typeof words === 'string') {
    const syscall = parseSyscall(words);
    // Which number it has depends on the machine: none that a filter could name.
    if (syscall !== undefined) return { kind: 'int', value: numberRangeOf('syscall64')?.max ?? 0n, syscall };
  }
  const value = readInteger(sink, path, words);
  const range = numberRangeOf(arg.type);
  if (value === undefined || range === undefined) return undefined;
  if (value >= range.min && value <= range.max) return { kind: 'int', value };
  return refuse(sink, path, arg, words, `from ${range.min} to ${range.max}`);
}

function readInteger(sink: ProblemSink, path: string, words: number | string): bigint | undefined {
  if (typeof words === 'number' && Number.isInteger(words) && !Number.isSafeInteger(words)) {
    sink.error('BadTestValue', path, `${words} is not exact as a number`, 'put it in quotes');
    return undefined;
  }
  const value = parseInteger(String(words));
  if (value === undefined) sink.error('BadTestValue', path, `${quote(words)} is no integer`, 'for example 80, -1 or "0x1f"');
  return value;
}

function readCapabilitySet(sink: ProblemSink, path: string, arg: PlanArg, words: ArgumentWords): ArgValue | undefined {
  if (Array.isArray(words)) return { kind: 'int', value: capabilityMask(sink, path, words) };
  if (typeof words === 'object') return refuse(sink, path, arg, words, 'give a list such as [CAP_SYS_ADMIN]');
  const value = readInteger(sink, path, words);
  if (value === undefined) return undefined;
  return value >= 0n && value < 1n << 64n ? { kind: 'int', value } : refuse(sink, path, arg, words, 'a number of 64 bits');
}

/** Names, with or without CAP_, in any case. */
export function capabilityMask(sink: ProblemSink, path: string, names: readonly string[]): bigint {
  return names.reduce((mask, name, index) => {
    const upper = name.toUpperCase();
    const bit = capabilityNumber(upper) ?? capabilityNumber(`CAP_${upper}`);
    if (bit === undefined) {
      const hint = didYouMean(upper, CAPABILITIES) ?? 'for example CAP_SYS_ADMIN';
      sink.error('UnknownCapability', fieldPath(path, index), `${quote(name)} is no capability of Linux`, hint);
      return mask;
    }
    return mask | (1n << BigInt(bit));
  }, 0n);
}

/** `S_IFMT` of stat.h, and permissions that nobody compares. */
const FILE_MODES: Readonly<Record<FileType, number>> = {
  sock: 0o140_755,
  lnk: 0o120_777,
  reg: 0o100_644,
  blk: 0o060_660,
  dir: 0o040_755,
  chr: 0o020_666,
  fifo: 0o010_644,
};

function readText(sink: ProblemSink, path: string, arg: PlanArg, words: ArgumentWords): ArgValue | undefined {
  if (typeof words === 'string') return textValue(arg, Buffer.from(words), {});
  if (typeof words === 'number') return refuse(sink, path, arg, words, `it is a text: put it in quotes, "${words}"`);
  if (Array.isArray(words)) return refuse(sink, path, arg, words, 'give a text');
  const isFile = arg.type === 'file' || arg.type === 'path';
  const allowed: readonly string[] = ['text', 'hex', ...(isFile ? ['fileType'] : []), ...(arg.type === 'sockaddr_un' ? ['family'] : [])];
  if (refuseOthers(sink, path, arg.type, words, allowed)) return undefined;
  const { text, hex } = words;
  if ((text === undefined) === (hex === undefined)) return refuse(sink, path, arg, words, 'give either text or hex');
  if (hex !== undefined && !/^(?:[0-9a-fA-F]{2})*$/.test(hex)) {
    sink.error(
      'BadTestValue',
      fieldPath(path, 'hex'),
      `${quote(hex)} is not hexadecimal`,
      'two digits for each byte, for example 7f454c46',
    );
    return undefined;
  }
  return textValue(arg, hex === undefined ? Buffer.from(text ?? '') : Buffer.from(hex, 'hex'), {
    fileType: words.fileType,
    family: words.family === undefined ? undefined : numberOf(sink, fieldPath(path, 'family'), words.family, ADDRESS_FAMILIES, 65_535),
  });
}

function textValue(
  { type }: PlanArg,
  value: Uint8Array,
  { fileType, family }: { readonly fileType?: FileType | undefined; readonly family?: number | undefined },
): TextValue {
  const isFile = type === 'file' || type === 'path';
  return {
    kind: 'bytes',
    value,
    ...(isFile ? { fileMode: FILE_MODES[fileType ?? 'reg'] } : {}),
    ...(family === undefined ? {} : { family }),
  };
}

function refuseOthers(sink: ProblemSink, path: string, type: string, words: DetailedValue, allowed: readonly string[]): boolean {
  const others = Object.keys(words).filter((field) => !allowed.includes(field));
  for (const field of others) {
    sink.error('BadTestValue', fieldPath(path, field), `a value of type ${type} has no ${field}`, `it has ${allowed.join(', ')}`);
  }
  return others.length > 0;
}

const SOCKET_FIELDS = ['family', 'protocol', 'state', 'saddr', 'sport', 'daddr', 'dport'];
/** One address, which filters ask for as the source, whichever end of a connection it will be. */
const ADDRESS_FIELDS = ['family', 'saddr', 'sport'];
const AF_INET = 2;
const AF_INET6 = 10;
const TCP = 6;

function readSocket(sink: ProblemSink, path: string, type: PlanArg['type'], words: ArgumentWords): SocketValue | undefined {
  if (typeof words !== 'object' || Array.isArray(words)) {
    const example = type === 'sockaddr' ? '{ saddr: 10.0.0.1, sport: 443 }' : '{ daddr: 10.0.0.1, dport: 443 }';
    sink.error('BadTestValue', path, `${quote(words)} is no ${type === 'sockaddr' ? 'address' : 'socket'}`, `for example ${example}`);
    return undefined;
  }
  if (refuseOthers(sink, path, type, words, type === 'sockaddr' ? ADDRESS_FIELDS : SOCKET_FIELDS)) return undefined;
  const number = (field: 'family' | 'protocol' | 'state', names: ReadonlyMap<string, bigint>, max: number, otherwise: number): number => {
    const given = words[field];
    return given === undefined ? otherwise : numberOf(sink, fieldPath(path, field), given, names, max);
  };
  const source = readAddress(sink, fieldPath(path, 'saddr'), words.saddr);
  const destination = readAddress(sink, fieldPath(path, 'daddr'), words.daddr);
  const isV6 = [words.saddr, words.daddr].some((text) => text?.includes(':') === true);
  const family = number('family', ADDRESS_FAMILIES, 65_535, isV6 ? AF_INET6 : AF_INET);
  const none = family === AF_INET ? new Uint8Array(4) : family === AF_INET6 ? new Uint8Array(16) : null;
  const isInternet = none !== null;
  return {
    kind: 'socket',
    family,
    protocol: number('protocol', IP_PROTOCOLS, 65_535, isInternet ? TCP : 0),
    state: number('state', TCP_STATES, 255, 0),
    source: source ?? none,
    destination: destination ?? none,
    sourcePort: readPort(sink, fieldPath(path, 'sport'), words.sport),
    destinationPort: readPort(sink, fieldPath(path, 'dport'), words.dport),
  };
}

function readAddress(sink: ProblemSink, path: string, text: string | undefined): Uint8Array | undefined {
  const bytes = text === undefined ? undefined : parseAddress(text);
  if (text !== undefined && bytes === undefined) {
    sink.error('BadTestValue', path, `${quote(text)} is no IP address`, 'for example 10.0.0.1 or 2001:db8::1');
  }
  return bytes === undefined ? undefined : unmapped({ bytes, prefixBits: bytes.length * 8 }).bytes;
}

function readPort(sink: ProblemSink, path: string, port: number | undefined): number {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65_535)) return port ?? 0;
  sink.error('BadTestValue', path, `${port} is no port`, 'from 0 to 65535');
  return 0;
}

function numberOf(sink: ProblemSink, path: string, given: string | number, names: ReadonlyMap<string, bigint>, max: number): number {
  const value = typeof given === 'string' ? (names.get(given) ?? parseInteger(given)) : Number.isInteger(given) ? BigInt(given) : undefined;
  if (value !== undefined && value >= 0n && value <= BigInt(max)) return Number(value);
  const hint = didYouMean(String(given), names.keys()) ?? `${[...names.keys()].slice(0, 3).join(', ')}, … or a number from 0 to ${max}`;
  sink.error('BadTestValue', path, `${quote(given)} is none of its values`, hint);
  return 0;
}
