export type RedialOptions = {
  /** Upper end of the first delay; it doubles with every further failure. */
  readonly baseMs: number;
  readonly maxMs: number;
};

/** Why there is no connection (any more). */
export type RedialCause =
  /** The hub sent this node away, at a time of its own choice (`goaway`). */
  | { readonly kind: 'sent-away' }
  /** The hub is there and says when to come again (`Retry-After`): it is still reading the cluster. */
  | { readonly kind: 'put-off'; readonly afterMs: number }
  /** Nobody answered, or the connection broke; `failures`: dials before this one since the last that was answered. */
  | { readonly kind: 'failed'; readonly failures: number };

/** A hub that sends its agents away has spread them over its own time already. */
const SENT_AWAY_MS = 1_000;

/**
 * Until the next dial. After a failure full jitter (control-plane 3.4): any time between zero and a bound that doubles, so that thousands of
 * agents that lost their hub at once come back spread over the whole span. `random` is in [0, 1).
 */
export function redialDelayMs(options: RedialOptions, cause: RedialCause, random: number): number {
  switch (cause.kind) {
    case 'sent-away':
      return Math.floor(random * Math.min(SENT_AWAY_MS, options.baseMs));
    case 'put-off':
      // A hub that says "at once" would be dialled in a loop.
      return Math.floor(Math.min(Math.max(cause.afterMs, SENT_AWAY_MS) * (1 + random), options.maxMs));
    case 'failed':
      return Math.floor(random * Math.min(options.maxMs, options.baseMs * 2 ** Math.min(cause.failures, 20)));
  }
}
