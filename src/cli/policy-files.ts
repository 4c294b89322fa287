import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { compile, type CompiledPolicy } from '../policy/compile.ts';
import { parse } from '../policy/parse.ts';
import type { Policy } from '../policy/policy.ts';
import type { Problem } from '../policy/problem.ts';
import { CliError } from './cli-io.ts';

/** One document of one file. */
export type PolicyDocument = {
  /** `file.yaml`, or `file.yaml#2` for the second document. */
  readonly source: string;
  readonly object: unknown;
};

export type CheckedPolicy =
  | {
      readonly ok: true;
      readonly source: string;
      readonly policy: Policy;
      readonly compiled: CompiledPolicy;
      readonly warnings: readonly Problem[];
    }
  | { readonly ok: false; readonly source: string; readonly problems: readonly Problem[] };

const MAX_FILE_BYTES = 4 << 20;

/** Reads files and folders (their `*.yaml`, `*.yml`, `*.json`, not deeper). Documents of other kinds in the same file are an error too. */
export async function readPolicyFiles(paths: readonly string[]): Promise<PolicyDocument[]> {
  const documents: PolicyDocument[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path)) documents.push(...readDocuments(file, await readBounded(file)));
  }
  if (documents.length === 0) throw new CliError(`no policies in ${paths.join(', ')}`);
  return documents;
}

export function checkPolicy(document: PolicyDocument): CheckedPolicy {
  const { source } = document;
  const parsed = parse(document.object);
  if (!parsed.ok) return { ok: false, source, problems: parsed.problems };
  const compiled = compile(parsed.value);
  if (!compiled.ok) return { ok: false, source, problems: compiled.problems };
  return { ok: true, source, policy: parsed.value, compiled: compiled.value, warnings: [...parsed.warnings, ...compiled.warnings] };
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

async function readBounded(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_FILE_BYTES) throw new CliError(`${file}: ${size} bytes are too many for policies; at most ${MAX_FILE_BYTES}`);
  return await readFile(file, 'utf8');
}

function readDocuments(file: string, text: string): PolicyDocument[] {
  const documents = parseAllDocuments(text);
  const list = Array.isArray(documents) ? documents : [];
  return list.flatMap((document, index) => {
    const source = list.length === 1 ? file : `${file}#${index + 1}`;
    const error = document.errors[0];
    if (error !== undefined) throw new CliError(`${source}: not YAML: ${error.message.split('\n')[0] ?? ''}`, 1);
    const object: unknown = document.toJS({ maxAliasCount: 100 });
    return object === null ? [] : [{ source, object }];
  });
}
