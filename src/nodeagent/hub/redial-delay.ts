export type RedialOptions = {
  /** Upper end of the first delay; it doubles with every further failure. */
  readonly baseMs: number;
  readonly maxMs: number;
};

/**
 * Full jitter: any time between zero and a bound that doubles, so that thousands of agents that lost their hub at once come back spread
 * over the whole span. `failures` counts dials since the last connection that got a welcome; `random` is in [0, 1).
 */
export function redialDelayMs(options: RedialOptions, failures: number, random: number): number {
  const boundMs = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(failures, 20));
  return Math.floor(random * boundMs);
}
