import type { LoadReason } from '../policy/reasons.ts';

/** Why a hook cannot be linked as asked. Without `uid` it is nobody's fault alone: all policies together are too much. */
export type LinkFailure = {
  readonly reason: LoadReason;
  readonly message: string;
  readonly uid?: string;
  readonly path?: string;
  /** All policies of namespaces together are too much, and those of the cluster have no part in it. */
  readonly share?: 'namespaces';
};

export type LinkResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: LinkFailure };

export function linked<T>(value: T): LinkResult<T> {
  return { ok: true, value };
}

export function failed(failure: LinkFailure): { readonly ok: false; readonly failure: LinkFailure } {
  return { ok: false, failure };
}
