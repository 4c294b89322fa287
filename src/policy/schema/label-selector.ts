import { z } from 'zod';
import { object } from './primitives.ts';

const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const labelValue = z.string().max(63).regex(LABEL_VALUE);

const labelRequirement = object(
  {
    key: z.string().describe('Label key.'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
    values: z.array(labelValue).optional().describe('Needed by In and NotIn, forbidden for Exists and DoesNotExist.'),
  },
  'A requirement on one label.',
);

const shape = {
  matchLabels: z.record(z.string(), labelValue).optional().describe('Labels that must be there with these values.'),
  matchExpressions: z.array(labelRequirement).optional().describe('Requirements; all must hold.'),
};

/** A Kubernetes label selector; an empty one selects everything. */
export function labelSelector(description: string) {
  return object(shape, description);
}

export type LabelSelectorSpec = z.infer<ReturnType<typeof labelSelector>>;
