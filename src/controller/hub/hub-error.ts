/** Why a caller of the hub is turned away; `status` is the HTTP status of the answer. */
export type HubRefusalCode =
  | 'NoToken'
  | 'NotAuthenticated'
  | 'NotBound'
  | 'WrongAccount'
  | 'UnknownPod'
  | 'Forbidden'
  | 'Busy'
  | 'NotReady'
  | 'ReviewFailed'
  | 'NotFound'
  | 'BadRequest';

const STATUS: Readonly<Record<HubRefusalCode, number>> = {
  NoToken: 401,
  NotAuthenticated: 401,
  NotBound: 403,
  WrongAccount: 403,
  UnknownPod: 403,
  Forbidden: 403,
  Busy: 503,
  NotReady: 503,
  ReviewFailed: 503,
  NotFound: 404,
  BadRequest: 400,
};

/** A controller that starts is there in a moment; one that is overloaded, or whose API server is, must not be asked by a fleet every second. */
const RETRY_AFTER_SECONDS: Readonly<Partial<Record<HubRefusalCode, number>>> = { NotReady: 1, Busy: 10, ReviewFailed: 10 };

export class HubRefusal extends Error {
  readonly code: HubRefusalCode;
  readonly status: number;
  /** When to come again; undefined: that would not help. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: HubRefusalCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HubRefusal';
    this.code = code;
    this.status = STATUS[code];
    this.retryAfterSeconds = RETRY_AFTER_SECONDS[code];
  }
}
