import { mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { digestOfPlanText } from '../../policy/digest.ts';
import { entrySchema, type Entry } from '../../protocol/hub-frames.ts';
import { setDigest } from '../../protocol/set-digest.ts';

/** What the node should run and what it last ran, as it survives a reboot. */
export type StoredState = {
  /** The desired set; null: never heard from a hub. */
  readonly set: string | null;
  readonly epoch: number;
  readonly entries: readonly Entry[];
  /** Per policy uid the digest of the plan that was last active in the kernel. */
  readonly loaded: Readonly<Record<string, string>>;
};

export const NO_STATE: StoredState = { set: null, epoch: 0, entries: [], loaded: {} };

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const stateSchema = z.object({
  set: hex64.nullable(),
  epoch: z.int().min(0),
  entries: z.array(entrySchema).max(4096),
  loaded: z.record(z.string().max(64), hex64),
});

export type StoreProblem = { readonly file: string; readonly message: string };

const PLAN_FILE = /^([0-9a-f]{64})\.plan\.json$/;
const STATE_FILE = 'state.json';

/**
 * Plans and the desired set on disk. Plan files are named by their digest and checked against it when read, so a broken file is reported
 * and asked for again, never loaded. Every file is written beside its place, synced and renamed.
 */
export class PlanStore {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #plans = new Map<string, string>();
  /** Why the last write failed; null while all is well. */
  fault: string | null = null;

  constructor(options: { folder: string; maxBytes: number }) {
    this.#folder = options.folder;
    this.#maxBytes = options.maxBytes;
  }

  /** Reads everything; what cannot be used is reported and removed. */
  async open(): Promise<{ state: StoredState; problems: StoreProblem[] }> {
    const problems: StoreProblem[] = [];
    try {
      await mkdir(this.#folder, { recursive: true });
      for (const file of await readdir(this.#folder)) await this.#readPlan(file, problems);
    } catch (error) {
      this.fault = messageOf(error);
      problems.push({ file: this.#folder, message: this.fault });
    }
    return { state: await this.#readState(problems), problems };
  }

  plan(digest: string): string | undefined {
    return this.#plans.get(digest);
  }

  has(digest: string): boolean {
    return this.#plans.has(digest);
  }

  /** Keeps a plan in memory in any case, on disk if there is room. `keep`: digests that must not make way for it. */
  async putPlan(digest: string, text: string, keep: ReadonlySet<string>): Promise<void> {
    this.#plans.set(digest, text);
    await this.#guard(async () => {
      await this.#makeRoom(Buffer.byteLength(text), new Set([...keep, digest]));
      await this.#writeFile(planFile(digest), text);
    });
  }

  async putState(state: StoredState): Promise<void> {
    await this.#guard(() => this.#writeFile(STATE_FILE, JSON.stringify(state)));
  }

  /** Forgets plans that nobody refers to. */
  async prune(keep: ReadonlySet<string>): Promise<void> {
    const unused = [...this.#plans.keys()].filter((digest) => !keep.has(digest));
    for (const digest of unused) {
      this.#plans.delete(digest);
      await unlink(join(this.#folder, planFile(digest))).catch(() => {});
    }
  }

  /** Removes all files of ours; what is left is returned. */
  async clear(): Promise<string[]> {
    this.#plans.clear();
    const left: string[] = [];
    for (const file of await readdir(this.#folder).catch(() => [])) {
      await rm(join(this.#folder, file), { force: true }).catch(() => left.push(file));
    }
    return left;
  }

  async #readPlan(file: string, problems: StoreProblem[]): Promise<void> {
    const path = join(this.#folder, file);
    const digest = PLAN_FILE.exec(file)?.[1];
    if (digest === undefined) {
      if (file.endsWith('.new')) await unlink(path).catch(() => {});
      return;
    }
    const text = await readFile(path, 'utf8').catch(messageOf);
    if (digestOfPlanText(text) === digest) {
      this.#plans.set(digest, text);
      return;
    }
    problems.push({
      file,
      message: 'the content does not have the digest of its name; the file was removed and the plan is asked for again',
    });
    await unlink(path).catch(() => {});
  }

  async #readState(problems: StoreProblem[]): Promise<StoredState> {
    try {
      const text = await readFile(join(this.#folder, STATE_FILE), 'utf8');
      const state = stateSchema.parse(JSON.parse(text));
      if (state.set === null || setDigest(state.entries) === state.set) return state;
      problems.push({ file: STATE_FILE, message: 'the set does not have its digest; it is asked for again' });
      return { ...NO_STATE, loaded: state.loaded };
    } catch (error) {
      if (!isMissing(error)) problems.push({ file: STATE_FILE, message: messageOf(error).slice(0, 200) });
      return NO_STATE;
    }
  }

  async #makeRoom(bytes: number, keep: ReadonlySet<string>): Promise<void> {
    let total = bytes;
    const sizes: { digest: string; bytes: number; ageMs: number }[] = [];
    for (const digest of this.#plans.keys()) {
      const found = await stat(join(this.#folder, planFile(digest))).catch(() => null);
      if (found === null) continue;
      total += found.size;
      if (!keep.has(digest)) sizes.push({ digest, bytes: found.size, ageMs: found.mtimeMs });
    }
    for (const old of sizes.toSorted((a, b) => a.ageMs - b.ageMs)) {
      if (total <= this.#maxBytes) return;
      total -= old.bytes;
      this.#plans.delete(old.digest);
      await unlink(join(this.#folder, planFile(old.digest)));
    }
    if (total > this.#maxBytes) throw new Error(`plans need ${total} bytes, at most ${this.#maxBytes} are allowed`);
  }

  async #writeFile(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name);
    const handle = await open(`${path}.new`, 'w', 0o600);
    try {
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async #guard(write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.fault = null;
    } catch (error) {
      this.fault = messageOf(error);
    }
  }
}

function planFile(digest: string): string {
  return `${digest}.plan.json`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
