import { close, fstat, mkdirSync, open, read, rename, unlink, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);
const renameFile = promisify(rename);
const unlinkFile = promisify(unlink);
const readFile = promisify(read);
const writeFile = promisify(write);
const NEWLINE = 10;

export type RotatingFileOptions = {
  readonly path: string;
  /** A file is closed before it would grow beyond this. One batch larger than it still goes into one file. */
  readonly maxBytes: number;
  /** Older files kept: `events.log.1` (youngest) … `events.log.N`. */
  readonly backups: number;
};

/** Where the file stands: which file it is and how far it is written. */
export type FilePosition = { readonly inode: string; readonly bytes: number };

/** An append-only file, mode 600, that moves aside when it is full. Not for concurrent use: one write at a time. */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #handle: number | null = null;
  #position: FilePosition = { inode: '0', bytes: 0 };

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  get position(): FilePosition {
    return this.#position;
  }

  /** Opens the file, so that a folder that cannot be written shows at once. Harmless if it is open. */
  async open(): Promise<number> {
    if (this.#handle !== null) return this.#handle;
    mkdirSync(dirname(this.#options.path), { recursive: true });
    const handle = await openFile(this.#options.path, 'a+', 0o600);
    const stat = await statFile(handle);
    this.#handle = handle;
    this.#position = { inode: stat.ino.toString(), bytes: stat.size };
    if (stat.size > 0) await this.#endLine(handle, stat.size);
    return handle;
  }

  /**
   * Appends whole lines. Rejects when the disk refuses; the next write opens the file again. `before` is told where they will begin.
   */
  async append(bytes: Buffer, before: (position: FilePosition) => void = () => {}): Promise<void> {
    try {
      let handle = await this.open();
      if (this.#position.bytes > 0 && this.#position.bytes + bytes.length > this.#options.maxBytes) {
        await this.#rotate();
        handle = await this.open();
      }
      before(this.#position);
      for (let offset = 0; offset < bytes.length;) {
        const { bytesWritten } = await writeFile(handle, bytes, offset, bytes.length - offset, null);
        offset += bytesWritten;
        this.#position = { ...this.#position, bytes: this.#position.bytes + bytesWritten };
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    if (handle !== null) await closeFile(handle).catch(() => {});
  }

  /** A line that a crash cut off stays by itself: the next one begins on a new line. */
  async #endLine(handle: number, size: number): Promise<void> {
    const { buffer } = await readFile(handle, Buffer.alloc(1), 0, 1, size - 1);
    if (buffer[0] === NEWLINE) return;
    await writeFile(handle, Buffer.from([NEWLINE]), 0, 1, null);
    this.#position = { ...this.#position, bytes: this.#position.bytes + 1 };
  }

  async #rotate(): Promise<void> {
    await this.close();
    const { path, backups } = this.#options;
    if (backups === 0) {
      await unlinkFile(path);
      return;
    }
    for (let number = backups - 1; number >= 1; number -= 1) {
      await renameFile(backupPath(path, number), backupPath(path, number + 1)).catch(ignoreMissing);
    }
    await renameFile(path, backupPath(path, 1)).catch(ignoreMissing);
  }
}

export function backupPath(path: string, number: number): string {
  return `${path}.${number}`;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
