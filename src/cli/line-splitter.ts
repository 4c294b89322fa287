/** Cuts chunks into lines; keeps an unfinished line, up to a bound. */
export class LineSplitter {
  readonly #maxBytes: number;
  #rest = Buffer.alloc(0);
  /** Inside of a line that is too long, which is left out to its end. */
  #isSkipping = false;
  /** Lines that were longer than the bound and are left out. */
  oversized = 0;

  constructor(maxBytes = 1 << 20) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): string[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const lines: string[] = [];
    for (let end = this.#rest.indexOf(10); end >= 0; end = this.#rest.indexOf(10)) {
      if (!this.#isSkipping) lines.push(this.#rest.subarray(0, end).toString('utf8'));
      this.#isSkipping = false;
      this.#rest = this.#rest.subarray(end + 1);
    }
    if (this.#rest.length > this.#maxBytes) {
      if (!this.#isSkipping) this.oversized += 1;
      this.#isSkipping = true;
    }
    if (this.#isSkipping) this.#rest = Buffer.alloc(0);
    return lines;
  }
}
