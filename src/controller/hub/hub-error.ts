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

export class HubRefusal extends Error {
  readonly code: HubRefusalCode;
  readonly status: number;

  constructor(code: HubRefusalCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HubRefusal';
    this.code = code;
    this.status = STATUS[code];
  }
}
