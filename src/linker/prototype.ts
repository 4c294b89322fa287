/** What the loader's RESOLVE says about functions, LSM hooks and tracepoints of a kernel. Hostile input: bounded, checked. */

export type Prototype =
  | { readonly kind: 'function'; readonly args: readonly FunctionArg[] }
  | { readonly kind: 'tracepoint'; readonly fields: readonly TracepointField[] };

export type FunctionArg = {
  readonly index: number;
  readonly bytes: number;
  readonly signed: boolean;
  /** `int`, `ptr`, `user-ptr`, `struct:NAME` (a pointer to it) or `value` (a structure by value). */
  readonly type: string;
};

export type TracepointField = {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly signed: boolean;
  readonly dataLocation: boolean;
};

/** By query text; null: the kernel has no such thing. */
export type Prototypes = ReadonlyMap<string, Prototype | null>;

const MAX_LINES = 128;

/** Null when the answer is empty (nothing found). Lines that are not of the contract's form are an error of the loader: thrown. */
export function readPrototype(query: string, answer: string): Prototype | null {
  const lines = answer.split('\n').filter((line) => line !== '');
  if (lines.length > MAX_LINES) throw new Error(`the loader describes ${query} in ${lines.length} lines; at most ${MAX_LINES} are right`);
  if (query.startsWith('tracepoint:')) {
    return lines.length === 0 ? null : { kind: 'tracepoint', fields: lines.map((line) => readField(query, line)) };
  }
  return answer === '' ? null : { kind: 'function', args: lines.map((line) => readArg(query, line)) };
}

function readField(query: string, line: string): TracepointField {
  const [name, offset, bytes, signed, dataLocation, ...more] = line.split(' ');
  if (name === undefined || name === '' || dataLocation === undefined || more.length > 0) throw unreadable(query);
  return {
    name,
    offset: number(query, offset, 65_535),
    bytes: number(query, bytes, 65_535),
    signed: number(query, signed, 1) === 1,
    dataLocation: number(query, dataLocation, 1) === 1,
  };
}

function readArg(query: string, line: string): FunctionArg {
  const [index, bytes, signed, type, ...more] = line.split(' ');
  if (type === undefined || !/^(int|ptr|user-ptr|value|struct:\w{1,128})$/.test(type) || more.length > 0) throw unreadable(query);
  return { index: number(query, index, 63), bytes: number(query, bytes, 65_535), signed: number(query, signed, 1) === 1, type };
}

function number(query: string, text: string | undefined, max: number): number {
  if (text === undefined || !/^\d{1,6}$/.test(text) || Number(text) > max) throw unreadable(query);
  return Number(text);
}

function unreadable(query: string): Error {
  return new Error(`the loader's description of ${query} is not of the agreed form`);
}
