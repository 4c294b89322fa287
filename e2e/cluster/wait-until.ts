import { setTimeout as sleep } from 'node:timers/promises';

export type WaitOptions = { readonly timeoutMs: number; readonly everyMs?: number; readonly signal?: AbortSignal };

/** Asks again and again until the answer is not undefined; a probe's failure counts as "not yet" and is told at the end. */
export async function waitUntil<T>(what: string, probe: () => Promise<T | undefined> | T | undefined, options: WaitOptions): Promise<T> {
  const deadlineMs = performance.now() + options.timeoutMs;
  let last = '';
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
    } catch (error) {
      if (error instanceof Unrecoverable) throw error;
      last = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() > deadlineMs)
      throw new Error(`${what}: not within ${options.timeoutMs / 1000} s${last === '' ? '' : `: ${last}`}`);
    await sleep(options.everyMs ?? 100);
  }
}

/** Thrown by a probe that knows that waiting is in vain. */
export class Unrecoverable extends Error {
  readonly code = 'Unrecoverable';
}
