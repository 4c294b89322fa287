import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

const listSchema = z.array(z.string().min(1).max(512)).max(4096);

/**
 * Policies that someone stopped on this node (`palisade node suspend`), by name or `namespace/name`; `*` stands for all. On disk, because
 * whoever pulls the brake does not want it to be let go by a restart.
 */
export class SuspendList {
  readonly #path: string;
  #names: ReadonlySet<string> = new Set();

  constructor(path: string) {
    this.#path = path;
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** A list that cannot be read is an error for the caller to show; the node then runs all policies. */
  async open(): Promise<void> {
    try {
      this.#names = new Set(listSchema.parse(JSON.parse(await readFile(this.#path, 'utf8'))));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }

  async suspend(name: string): Promise<void> {
    await this.#save(new Set([...this.#names, name]));
  }

  /** Returns whether it was suspended. */
  async resume(name: string): Promise<boolean> {
    if (!this.#names.has(name)) return false;
    await this.#save(new Set([...this.#names].filter((other) => other !== name)));
    return true;
  }

  async #save(names: ReadonlySet<string>): Promise<void> {
    this.#names = names;
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(`${this.#path}.new`, JSON.stringify([...names].toSorted()), { mode: 0o600, flush: true });
    await rename(`${this.#path}.new`, this.#path);
  }
}
