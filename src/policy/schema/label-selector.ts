import { z } from 'zod';
import { object } from './primitives.ts';

/** Of a label in Kubernetes; its length is bounded as well. */
export const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const labelRequirement = object(
  {
    key: z.string().describe('Name of the label, for example app.kubernetes.io/name.'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('NotIn and DoesNotExist also hold where there is no such label.'),
    values: z.array(z.string()).optional().describe('For In and NotIn at least one, for the others none.'),
  },
  'A condition on one label.',
);

const matchExpressions = z.array(labelRequirement).optional().describe('Conditions; all must hold.');

const shape = {
  matchLabels: z
    .record(z.string(), z.string().max(63).regex(LABEL_VALUE))
    .optional()
    .describe('Labels with their values, for example {app: web}; all must be there.'),
  matchExpressions,
};

/** Upstream checks values of labels for pods, containers and hosts, but not for nodes. */
const nodeShape = {
  matchLabels: z
    .record(z.string(), z.string())
    .optional()
    .describe('Labels with their values, for example {node-role.kubernetes.io/worker: ""}; all must be there.'),
  matchExpressions,
};

/** Server-side apply takes a selector as one value: fields of two owners would not add up to what either of them meant. */
const ATOMIC = { 'x-kubernetes-map-type': 'atomic' };

/** A Kubernetes label selector; an empty one selects everything. */
export function labelSelector(description: string) {
  const selector = object(shape, description);
  return selector.meta({ ...selector.meta(), ...ATOMIC });
}

export function nodeLabelSelector(description: string) {
  const selector = object(nodeShape, description);
  return selector.meta({ ...selector.meta(), ...ATOMIC });
}

export type LabelSelectorSpec = z.infer<ReturnType<typeof labelSelector>>;
