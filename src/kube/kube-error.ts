/** What went wrong with a call of the API server; stable, for decisions. */
export type KubeErrorCode =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  /** The object changed since the resourceVersion that was sent, or another field manager owns a field. */
  | 'Conflict'
  /** 410: the resourceVersion or the continue token is too old. */
  | 'Expired'
  | 'Invalid'
  | 'TooManyRequests'
  | 'ServerError'
  /** No answer in time. */
  | 'Timeout'
  /** The connection failed; whether the call had an effect is unknown. */
  | 'Transport'
  /** The caller's signal was aborted. */
  | 'Aborted'
  /** The answer is not what the API promises. */
  | 'Malformed'
  /** The answer is longer than is read; a list may be asked for in smaller pages. */
  | 'TooLarge'
  /** Kubeconfig, certificate or token could not be read. */
  | 'Credentials';

export type KubeErrorOptions = {
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
};

/** The only error that leaves src/kube. */
export class KubeError extends Error {
  readonly code: KubeErrorCode;
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(code: KubeErrorCode, message: string, options: KubeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KubeError';
    this.code = code;
    this.status = options.status ?? 0;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export function isKubeError(error: unknown, ...codes: readonly KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

const MAX_MESSAGE_CHARS = 1_000;

type StatusBody = { readonly message?: unknown; readonly reason?: unknown; readonly code?: unknown; readonly details?: unknown };

/** An error from an HTTP status and a `Status` object (of an answer's body, or of an ERROR event in a watch). */
export function errorFromStatus(status: number, body: unknown, retryAfterHeader?: string): KubeError {
  const fields: StatusBody = typeof body === 'object' && body !== null ? body : {};
  const effective = typeof fields.code === 'number' && fields.code > 0 ? fields.code : status;
  const reason = typeof fields.reason === 'string' ? fields.reason : '';
  const text = typeof fields.message === 'string' && fields.message !== '' ? fields.message : `HTTP ${effective}`;
  const retryAfterMs = retryAfter(retryAfterHeader) ?? retryAfterOfDetails(fields.details);
  return new KubeError(codeOf(effective, reason), text.slice(0, MAX_MESSAGE_CHARS), {
    status: effective,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function codeOf(status: number, reason: string): KubeErrorCode {
  if (status === 409) {
    return reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict';
  }
  const exact: Readonly<Record<number, KubeErrorCode>> = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    410: 'Expired',
    422: 'Invalid',
    429: 'TooManyRequests',
    504: 'Timeout',
  };
  return exact[status] ?? (status >= 500 ? 'ServerError' : 'BadRequest');
}

const MAX_RETRY_AFTER_MS = 300_000;

/** Seconds, as Kubernetes sends them; a date is not understood and ignored. */
function retryAfter(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header === undefined || !Number.isFinite(seconds) || seconds < 0 ? undefined : Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS);
}

function retryAfterOfDetails(details: unknown): number | undefined {
  if (typeof details !== 'object' || details === null || !('retryAfterSeconds' in details)) {
    return undefined;
  }
  return retryAfter(String(details.retryAfterSeconds));
}
