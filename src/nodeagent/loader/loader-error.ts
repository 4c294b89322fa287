import type { LoaderResult } from '../../protocol/loader-frames.ts';

/** The loader could not be asked: no connection, no answer in time, or an answer that is none. Nothing is known about what it did. */
export class LoaderUnavailableError extends Error {
  readonly code = 'LoaderUnavailable';
  override readonly name = 'LoaderUnavailableError';
}

/** The loader answered that it could not do what was asked. */
export class LoaderRefusal extends Error {
  readonly code = 'LoaderRefusal';
  override readonly name = 'LoaderRefusal';
  readonly result: LoaderResult;

  constructor(what: string, result: LoaderResult) {
    super(`${what}: ${result.stage}: ${result.reason === '' ? `errno ${result.errno}` : result.reason}: ${result.message}`);
    this.result = result;
  }
}
