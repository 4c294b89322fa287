import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

export type CliRun = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const MAIN = path.join(import.meta.dirname, '../main.ts');
const ROOT = path.join(import.meta.dirname, '../../..');

/** Types are taken out of the sources once for each file of tests, not for each command: that is most of its time. */
const compileCache = mkdtempSync(path.join(tmpdir(), 'palisade-compiled-'));
afterAll(() => rmSync(compileCache, { recursive: true, force: true }));

export type CliSetting = {
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** The command as people run it: a process of its own, from the root of the repository. */
export async function runCli(args: readonly string[], { stdin = '', cwd = ROOT, env = {} }: CliSetting = {}): Promise<CliRun> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...env } });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A command that does not read its input closes it early.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}
