import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
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

/**
 * Reads the policies of files, of folders (their `*.yaml`, `*.yml`, `*.json`, not deeper) and of standard input (`-`). What is wrong with
 * their text is in `problems`; a path that does not exist is a `CliError`.
 */
export async function readPolicyFiles(paths: readonly string[], stdin: Readable): Promise<ReadDocuments> {
  const documents: PolicyDocument[] = [];
  const skipped: SkippedDocument[] = [];
  const problems: LocatedProblem[] = [];
  let emptyCount = 0;
  for (const path of paths) {
    for (const file of path === STDIN ? [STDIN] : await filesAt(path)) {
      const bytes = await readBounded(file === STDIN ? stdin : createReadStream(file), file);
      const found = readDocuments(file === STDIN ? 'stdin' : file, bytes);
      documents.push(...found.documents);
      skipped.push(...found.skipped);
      problems.push(...found.problems);
      emptyCount += found.emptyCount;
    }
  }
  if (documents.length === 0 && problems.length === 0) {
    const others = skipped.length === 0 ? '' : `; ${skipped.length} objects of other kinds`;
    throw new CliError(`no policies in ${paths.join(', ')}${others}`);
  }
  return { documents, skipped, emptyCount, problems };
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

async function filesAt(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw new CliError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (!found.isDirectory()) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .toSorted()
    .map((name) => join(path, name));
}

/** At most one byte more than a file may have: `readDocuments` says the rest. */
async function readBounded(stream: Readable, name: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const buffer = Buffer.from(chunk);
      chunks.push(buffer);
      bytes += buffer.length;
      if (bytes > DOCUMENT_LIMITS.fileBytes) break;
    }
  } catch (error) {
    throw new CliError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return Buffer.concat(chunks);
}
