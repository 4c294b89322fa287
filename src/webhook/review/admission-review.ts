import { z } from 'zod';

/** What the API server asks, as far as it is looked at (admission.k8s.io/v1). The object itself is parsed by src/policy. */
export const admissionRequestSchema = z.object({
  uid: z.string().min(1).max(128),
  kind: z.object({ group: z.string(), version: z.string(), kind: z.string() }),
  subResource: z.string().optional(),
  name: z.string().optional(),
  namespace: z.string().optional(),
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
  object: z.unknown().optional(),
  oldObject: z.unknown().optional(),
  dryRun: z.boolean().default(false),
});

export const admissionReviewSchema = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: admissionRequestSchema,
});

export type AdmissionRequest = z.infer<typeof admissionRequestSchema>;

/** One thing that is wrong, as clients of the API get it (a `StatusCause`). */
export type AdmissionCause = { readonly reason: string; readonly field: string; readonly message: string };

export type AdmissionStatus = {
  /** 422: the policy is wrong. 403: this asker may not. 500: our fault. */
  readonly code: 403 | 422 | 500;
  readonly reason: 'Forbidden' | 'Invalid' | 'InternalError';
  readonly message: string;
  readonly details?: {
    readonly group: string;
    readonly kind: string;
    readonly name: string;
    readonly causes: readonly AdmissionCause[];
  };
};

export type AdmissionResponse = {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: AdmissionStatus;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
};

export function envelope(response: AdmissionResponse): object {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}
