import { createReadStream, type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { getSystemErrorMessage } from 'node:util';
import { compile, type CompiledPolicy } from '../policy/compile.ts';
import {
  DOCUMENT_LIMITS,
  type LocatedProblem,
  type PolicyDocument,
  type ReadDocuments,
  type SkippedDocument,
} from '../policy/document/document.ts';
import { locateProblems } from '../policy/document/locate.ts';
import { readDocuments } from '../policy/document/read-documents.ts';
import { parse } from '../policy/parse.ts';
import type { Policy } from '../policy/policy.ts';
import { CliError } from './cli-io.ts';
import { onlyMeantPolicies } from './meant-policies.ts';

export type CheckedPolicy =
  | {
      readonly ok: true;
      readonly source: string;
      readonly policy: Policy;
      readonly compiled: CompiledPolicy;
      readonly warnings: readonly LocatedProblem[];
    }
  | { readonly ok: false; readonly source: string; readonly problems: readonly LocatedProblem[] };

/** Stands for standard input where a file could be named. */
export const STDIN = '-';
const POLICY_FILE = /\.(?:ya?ml|json)$/;

/**
 * Reads the policies of files, of folders (`*.yaml`, `*.yml`, `*.json` in them and below) and of standard input (`-`). What is wrong with
 * their text is in `problems`; what cannot be read is a `CliError`.
 */
export async function readPolicyFiles(paths: readonly string[], stdin: Readable): Promise<ReadDocuments> {
  const documents: PolicyDocument[] = [];
  const skipped: SkippedDocument[] = [];
  const problems: LocatedProblem[] = [];
  let emptyCount = 0;
  for (const file of await findPolicyFiles(paths)) {
    const bytes = await readFileBytes(file.path, stdin);
    const read = readDocuments(shownName(file.path), bytes);
    const found = file.isNamed ? read : onlyMeantPolicies(read, bytes);
    documents.push(...found.documents);
    skipped.push(...found.skipped);
    problems.push(...found.problems);
    emptyCount += found.emptyCount;
  }
  if (documents.length === 0 && problems.length === 0) {
    const others = skipped.length === 0 ? '' : `; objects of other kinds: ${skipped.length}`;
    throw new CliError(`no policies in ${paths.map(shownName).join(', ')}${others}`);
  }
  return { documents, skipped, emptyCount, problems };
}

export type FoundFile = {
  readonly path: string;
  /** Somebody asked for this very file; otherwise it lies in a folder that somebody asked for. */
  readonly isNamed: boolean;
};

/** Files stay in the order of the arguments, those of a folder are sorted. An argument that cannot be read is a `CliError`. */
export async function findPolicyFiles(paths: readonly string[]): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  for (const path of paths) {
    if (path === STDIN || !(await isFolder(path))) found.push({ path, isNamed: true });
    else found.push(...(await filesIn(path, await orCliError(path, readFolder(path)))).map((file) => ({ path: file, isNamed: false })));
  }
  return found;
}

/** As messages name a file. */
export function shownName(path: string): string {
  return path === STDIN ? 'stdin' : path;
}

export function checkPolicy(document: PolicyDocument): CheckedPolicy {
  const { source } = document;
  const parsed = parse(document.object);
  if (!parsed.ok) return { ok: false, source, problems: locateProblems(document, parsed.problems) };
  const compiled = compile(parsed.value);
  if (!compiled.ok) return { ok: false, source, problems: locateProblems(document, compiled.problems) };
  const warnings = locateProblems(document, [...parsed.warnings, ...compiled.warnings]);
  return { ok: true, source, policy: parsed.value, compiled: compiled.value, warnings };
}

async function isFolder(path: string): Promise<boolean> {
  return (await orCliError(path, stat(path))).isDirectory();
}

function readFolder(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true });
}

/** Hidden files and folders are left out: `.git`, and the copies that Kubernetes keeps beside a mounted ConfigMap. */
async function filesIn(folder: string, entries: readonly Dirent[]): Promise<string[]> {
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(path)));
    else if (POLICY_FILE.test(entry.name) && (await isReadable(entry, path))) files.push(path);
  }
  return files;
}

/** A folder that cannot be read stands for what may be in it: reading it fails, as reading a file would, and is told. */
async function filesBelow(folder: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readFolder(folder);
  } catch {
    return [folder];
  }
  return await filesIn(folder, entries);
}

/** Not so are pipes, on which one would wait for ever, and links to folders, which may lead back here. Where a link leads nowhere, reading tells. */
async function isReadable(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? true;
}

/** At most one byte more than a file may have: `readDocuments` says the rest. */
export async function readFileBytes(path: string, stdin: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const read = async (): Promise<void> => {
    for await (const chunk of path === STDIN ? stdin : createReadStream(path)) {
      const buffer = Buffer.from(chunk);
      chunks.push(buffer);
      bytes += buffer.length;
      if (bytes > DOCUMENT_LIMITS.fileBytes) break;
    }
  };
  await orCliError(shownName(path), read());
  return Buffer.concat(chunks);
}

/** `policies/a.yaml: no such file or directory`. */
async function orCliError<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new CliError(`${path}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'errno' in error && typeof error.errno === 'number' ? getSystemErrorMessage(error.errno) : error.message;
}
