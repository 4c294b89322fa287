/**
 * A recorded kernel: everything that decides what a policy comes to on it, in one file. `palisade-loader record` writes it (native/loader,
 * record.rs), `packKernelFile` makes it small, and `readKernelFile` makes it what `bind` takes.
 *
 * Form: one line of JSON (`headerSchema`), then the kernel's type information as the kernel gives it, then that of modules, each as
 * long as the header says. All of it zstd, or plain as the loader writes it.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { BtfError } from '../btf/btf-error.ts';
import { openBtf, type Btf } from '../btf/type-index.ts';
import { once } from '../btf/once.ts';
import type { KernelCatalogue, KernelFacts } from '../kernel-facts.ts';
import { readFactLines } from './fact-lines.ts';
import { readTracepointField } from './tracepoint-format.ts';

/** Longest file as it lies on disk, and what it may come to. */
export const MAX_KERNEL_FILE_BYTES = 64 << 20;
const MAX_PLAIN_BYTES = 192 << 20;
const MAX_HEADER_BYTES = 32 << 20;

/** The file is none, or not one that this version reads. */
export class KernelFileError extends Error {
  readonly code = 'KernelFileUnreadable';

  constructor(message: string) {
    super(message);
    this.name = 'KernelFileError';
  }
}

const MAX_NAME_CHARS = 512;
const name = z.string().min(1).max(MAX_NAME_CHARS);

/** Checked by hand: there are tens of thousands, and a person waits for them. */
function isTexts(value: unknown, maxCount: number): value is readonly string[] {
  return (
    Array.isArray(value) && value.length <= maxCount && value.every((text) => typeof text === 'string' && text.length <= MAX_NAME_CHARS)
  );
}

const MAX_NAMES = 1_000_000;
const MAX_TRACEPOINTS = 100_000;
const MAX_FIELDS = 256;
const names = z.custom<readonly string[]>((value) => isTexts(value, MAX_NAMES), 'names are right');
const formatsSchema = z.custom<Readonly<Record<string, readonly string[]>>>((value) => {
  if (typeof value !== 'object' || value === null || !isTexts(Object.keys(value), MAX_TRACEPOINTS)) return false;
  return Object.values(value).every((fields) => isTexts(fields, MAX_FIELDS));
}, 'fields by tracepoint are right');

const headerSchema = z.object({
  palisade: z.literal('kernel'),
  format: z.literal(1),
  /** `name=value`, as the loader's HELLO has them. */
  facts: z.array(z.string().max(4096)).max(256),
  /** `CONFIG_X=y`. */
  config: z.array(z.string().max(4096)).max(256),
  unprobeable: names,
  errorInjectable: names,
  /** Fields as `readTracepointField` takes them, by `subsystem/event`. */
  tracepoints: formatsSchema,
  /** `vmlinux` and its bytes, then modules and theirs. */
  btf: z
    .array(z.tuple([name, z.int().min(0).max(MAX_PLAIN_BYTES)]))
    .min(1)
    .max(1_000),
});

const ZSTD_MAGIC = 0xfd2fb528;
const NEWLINE = 0x0a;
/** Types refer to each other over megabytes: a window that holds all of them. */
const PACKING = { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 23 };

/** From what the loader wrote to what is kept. Equal input gives equal bytes. */
export function packKernelFile(plain: Uint8Array): Buffer {
  return zstdCompressSync(plain, { params: PACKING });
}

/** Throws `KernelFileError`. */
export function readKernelFile(bytes: Uint8Array): KernelFacts {
  const plain = unpack(bytes);
  const end = plain.subarray(0, MAX_HEADER_BYTES).indexOf(NEWLINE);
  if (end < 0) throw new KernelFileError('not a recorded kernel: it does not begin with a line of JSON');
  const header = readHeader(plain.subarray(0, end));
  const { kernel, modules } = openParts(header.btf, plain.subarray(end + 1));
  const { release, arch, lsm, preempt, facts } = readFactLines(header.facts);
  const config = Object.fromEntries(header.config.map((line) => splitOnce(line)));
  return { release, arch, lsm, preempt, facts, config, catalogue: catalogueOf(header, kernel, modules) };
}

function unpack(bytes: Uint8Array): Buffer {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length > MAX_KERNEL_FILE_BYTES) throw new KernelFileError(`${file.length} bytes; at most ${MAX_KERNEL_FILE_BYTES} are right`);
  if (file.length < 4 || file.readUInt32LE(0) !== ZSTD_MAGIC) return file;
  try {
    return zstdDecompressSync(file, { maxOutputLength: MAX_PLAIN_BYTES });
  } catch {
    throw new KernelFileError('it is cut off or damaged, or larger than any kernel');
  }
}

type Header = z.infer<typeof headerSchema>;

function readHeader(line: Buffer): Header {
  let json: unknown;
  try {
    json = JSON.parse(line.toString('utf8'));
  } catch {
    throw new KernelFileError('not a recorded kernel: it does not begin with a line of JSON');
  }
  const result = headerSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new KernelFileError(
    `a recorded kernel of another form: ${(issue?.path ?? []).join('.').slice(0, 100)}: ${issue?.message.slice(0, 200) ?? ''}`,
  );
}

type Parts = { readonly kernel: Btf; readonly modules: ReadonlyMap<string, Btf> };

function openParts(sizes: Header['btf'], bytes: Buffer): Parts {
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (total !== bytes.length) throw new KernelFileError(`${bytes.length} bytes of types; the header says ${total}`);
  let kernel: Btf | undefined;
  const modules = new Map<string, Btf>();
  let at = 0;
  try {
    for (const [part, size] of sizes) {
      const own = bytes.subarray(at, at + size);
      at += size;
      if (kernel === undefined) kernel = openBtf(own);
      else modules.set(part, openBtf(own, kernel));
    }
  } catch (error) {
    if (error instanceof BtfError) throw new KernelFileError(error.message);
    throw error;
  }
  if (kernel === undefined) throw new KernelFileError('a recorded kernel without types');
  return { kernel, modules };
}

/** Made piece by piece when it is asked for: most questions are about a few names. */
function catalogueOf(header: Header, kernel: Btf, modules: ReadonlyMap<string, Btf>): KernelCatalogue {
  const unprobeable = once(() => new Set(header.unprobeable));
  const functions = once(() => {
    const known = new Set(kernel.functionNames());
    for (const functionName of header.unprobeable) known.delete(functionName);
    return known;
  });
  const errorInjectable = once(() => new Set(header.errorInjectable));
  const tracepoints = once(() => new Set(Object.keys(header.tracepoints)));
  return {
    get functions() {
      return functions();
    },
    get lsmHooks() {
      return kernel.lsmHooks();
    },
    get tracepoints() {
      return tracepoints();
    },
    get unprobeable() {
      return unprobeable();
    },
    get errorInjectable() {
      return errorInjectable();
    },
    formatOf: (tracepoint) => {
      if (!Object.hasOwn(header.tracepoints, tracepoint)) return undefined;
      return (header.tracepoints[tracepoint] ?? []).flatMap((line) => readTracepointField(line) ?? []);
    },
    types: { kernel, module: (module) => modules.get(module) ?? 'unknown' },
  };
}

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
