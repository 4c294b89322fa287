/** What is wrong with an expression, and where. Thrown inside this folder only: `compileCelFilter` makes a problem of it. */
export class CelError extends Error {
  override readonly name = 'CelError';
  /** In characters from 1. */
  readonly column: number;
  readonly hint: string | undefined;

  constructor(column: number, message: string, hint?: string) {
    super(message);
    this.column = column;
    this.hint = hint;
  }
}
