import type { PolicyKind } from '../plan.ts';
import { type Rule, cel } from '../schema/primitives.ts';
import { type TracingPolicySpec, tracingPolicySpec } from '../schema/spec.ts';
import { INITIAL_STATUS, policyStatus } from '../schema/status.ts';
import { type StructuralSchema, structuralSchemaOf } from './structural-schema.ts';

export const GROUP = 'cilium.io';
export const VERSION = 'v1alpha1';

/** Raised with every change of the committed files; the highest one wins between our own versions. */
export const CRD_REVISION = 2;

type Names = { readonly plural: string; readonly singular: string; readonly shortName: string };

const NAMES: Readonly<Record<PolicyKind, Names>> = {
  TracingPolicy: { plural: 'tracingpolicies', singular: 'tracingpolicy', shortName: 'tgtp' },
  TracingPolicyNamespaced: {
    plural: 'tracingpoliciesnamespaced',
    singular: 'tracingpolicynamespaced',
    shortName: 'tgtpn',
  },
};

export function pluralOf(kind: PolicyKind): string {
  return NAMES[kind].plural;
}

/** What the controller writes and people read; the rest is in `-o wide`. */
const COLUMNS = [
  column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status', 'Whether the policy does what it says'),
  column('Reason', 'string', '.status.conditions[?(@.type=="Ready")].reason', 'Why, in one word'),
  column('Mode', 'string', '.status.mode', 'Effective mode'),
  column('Loaded', 'string', '.status.loaded', 'Nodes that run this generation / nodes that should'),
  column('Enforcing', 'string', '.status.enforcing', 'Nodes that can deny or kill now'),
  column('Failed', 'integer', '.status.nodes.failed', 'Nodes that cannot load the policy'),
  column('Age', 'date', '.metadata.creationTimestamp', 'Time since the policy was created'),
  wideColumn('Unreachable', 'integer', '.status.nodes.unreachable', 'Nodes that have not been heard of'),
  wideColumn('Events', 'integer', '.status.activity.events', 'Events of the policy'),
  wideColumn('Lost', 'integer', '.status.activity.lost', 'Events that were lost'),
  wideColumn('Message', 'string', '.status.conditions[?(@.type=="Ready")].message', 'Why, in one sentence'),
];

/** Sections that would reach beyond the pods of a namespace. `compile` says the same with the path, among all other problems. */
export const NAMESPACED_RULES: readonly Rule<{ readonly spec: TracingPolicySpec }>[] = [
  {
    rule: '!has(self.spec.hostSelector)',
    message: 'TracingPolicyNamespaced cannot have spec.hostSelector',
    holds: ({ spec }) => spec.hostSelector === undefined,
  },
  banList('uprobes'),
  banList('usdts'),
  banList('enforcers'),
  {
    rule: '!has(self.spec.loader) || !self.spec.loader',
    message: 'TracingPolicyNamespaced cannot have spec.loader',
    holds: ({ spec }) => spec.loader !== true,
  },
];

/** The CustomResourceDefinition of a kind, as a plain object; nothing in it depends on the time or the machine. */
export function customResourceDefinition(kind: PolicyKind) {
  const names = NAMES[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${names.plural}.${GROUP}`,
      // Upstream's operator overwrites a definition whose label is absent or lower than its own.
      labels: { 'cilium.io.k8s.crd.schema.version': `999.${CRD_REVISION}.0` },
      annotations: { 'palisade.dev/crd-revision': String(CRD_REVISION) },
    },
    spec: {
      group: GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural: names.plural,
        singular: names.singular,
        shortNames: [names.shortName],
        categories: ['tetragon', 'palisade'],
      },
      scope: kind === 'TracingPolicy' ? 'Cluster' : 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          selectableFields: [{ jsonPath: '.status.mode' }],
          additionalPrinterColumns: COLUMNS,
          schema: { openAPIV3Schema: objectSchema(kind) },
        },
      ],
    },
  };
}

/** What the kinds are, for people who ask the API server or their editor. */
export const KIND_DESCRIPTIONS: Readonly<Record<PolicyKind, string>> = {
  TracingPolicy:
    'A security policy of the cluster: what happens in the kernels of its nodes is watched, denied or killed, and reported in events. ' +
    'Status says on how many nodes it really runs. Try a policy with the option policy-mode: monitor first.',
  TracingPolicyNamespaced:
    'A security policy for the pods of its namespace: what they do in the kernel is watched, denied or killed, and reported in events. ' +
    'Status says on how many nodes it really runs. Try a policy with the option policy-mode: monitor first.',
};

function objectSchema(kind: PolicyKind): StructuralSchema {
  return {
    description: KIND_DESCRIPTIONS[kind],
    type: 'object',
    required: ['metadata', 'spec'],
    properties: {
      apiVersion: { type: 'string', description: `Always ${GROUP}/${VERSION}.` },
      kind: { type: 'string', description: `Always ${kind}.` },
      // The API server allows nothing else here.
      metadata: { type: 'object' },
      spec: structuralSchemaOf(tracingPolicySpec, 'preserve'),
      status: { ...structuralSchemaOf(policyStatus, 'prune'), default: INITIAL_STATUS },
    },
    ...(kind === 'TracingPolicyNamespaced' ? cel(...NAMESPACED_RULES) : {}),
  };
}

function banList(section: 'uprobes' | 'usdts' | 'enforcers'): Rule<{ readonly spec: TracingPolicySpec }> {
  return {
    rule: `!has(self.spec.${section}) || size(self.spec.${section}) == 0`,
    message: `TracingPolicyNamespaced cannot have spec.${section}`,
    holds: ({ spec }) => (spec[section] ?? []).length === 0,
  };
}

type Column = { name: string; type: string; jsonPath: string; description: string; priority?: number };

function column(name: string, type: string, jsonPath: string, description: string): Column {
  return { name, type, jsonPath, description };
}

function wideColumn(name: string, type: string, jsonPath: string, description: string): Column {
  return { ...column(name, type, jsonPath, description), priority: 1 };
}
