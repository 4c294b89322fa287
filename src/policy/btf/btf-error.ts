/** Type information that is not what a kernel writes: cut off, out of range, or of a form that is not known. */
export class BtfError extends Error {
  readonly code = 'BtfMalformed';

  constructor(message: string) {
    super(`BTF: ${message}`);
    this.name = 'BtfError';
  }
}
