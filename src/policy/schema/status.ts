import { z } from 'zod';

const count = z.int().min(0).max(2_147_483_647).meta({ format: 'int32' });
const total = z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ format: 'int64' });
const time = z.string().meta({ format: 'date-time' });
const generation = z.int().min(-1).max(Number.MAX_SAFE_INTEGER).meta({ format: 'int64' });

export const MAX_REASON_CHARS = 64;
export const MAX_CONDITION_MESSAGE_CHARS = 512;
export const MAX_CONDITIONS = 12;
export const MAX_FAILURES = 10;

const condition = z
  .object({
    type: z.string().min(1).max(64).describe('What it is about, for example Ready or Accepted.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it is so.'),
    observedGeneration: generation.optional().describe('The generation of the policy that this is about.'),
    lastTransitionTime: time.describe('When it last became so, or ceased to be.'),
    reason: z.string().min(1).max(MAX_REASON_CHARS).describe('Why, in one word; docs/errors.md lists all of them.'),
    message: z.string().max(MAX_CONDITION_MESSAGE_CHARS).describe('Why, in a sentence.'),
  })
  .describe('What is true about the policy, and since when.');

const nodes = z
  .object({
    matched: count.optional().describe('Nodes with an agent that fit nodeSelector.'),
    loaded: count.optional().describe('Of these: run this generation.'),
    pending: count.optional().describe('Of these: have not answered yet.'),
    joining: count.optional().describe('Of these: their agent is new, and has not answered yet.'),
    failed: count.optional().describe('Of these: cannot load the policy.'),
    unhealthy: count.optional().describe('Of these: have a fault of their own.'),
    unreachable: count.optional().describe('Of these: have not been heard of for three minutes.'),
    older: count.optional().describe('Run an earlier version of the policy.'),
    notSelected: count.optional().describe('Have an agent and do not fit nodeSelector.'),
    withoutAgent: count.optional().describe('Fit nodeSelector and have no agent.'),
  })
  .describe('Numbers of nodes. matched = loaded + pending + joining + failed + unhealthy + unreachable.');

const failure = z
  .object({
    reason: z.string().max(MAX_REASON_CHARS).describe('Why, in one word; docs/errors.md lists all of them.'),
    hook: z.string().max(256).optional().describe('The hook that does not load, as a path in spec.'),
    nodes: count.describe('How many nodes.'),
    kernels: z.array(z.string().max(64)).max(3).optional().describe('Some of their kernels.'),
    sampleNodes: z.array(z.string().max(253)).max(3).optional().describe('Some of their names.'),
    message: z.string().max(256).optional().describe('Why, in a sentence.'),
  })
  .describe('Nodes that fail for one reason.');

const activity = z
  .object({
    since: time.optional().describe('When counting began.'),
    events: total.optional().describe('Events of the policy.'),
    wouldEnforce: total.optional().describe('Calls that monitor mode would have denied or killed.'),
    enforced: total.optional().describe('Calls that were denied or killed.'),
    lost: total.optional().describe('Events that were lost.'),
    lastMatch: time.optional().describe('When a selector last matched.'),
    unprotectedStarts: total.optional().describe('Containers that ran before their pod was known.'),
  })
  .describe('What the policy saw and did.');

/** Written by the controller alone, by server-side apply. */
export const policyStatus = z
  .object({
    observedGeneration: generation.optional().describe('The generation that this status is about; -1: none yet.'),
    conditions: z
      .array(condition)
      .max(MAX_CONDITIONS)
      .optional()
      .meta({
        description: 'What is true about the policy; Ready sums it up.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      }),
    mode: z.enum(['Enforce', 'Monitor', 'MonitorOnly', 'Staged']).optional().describe('Effective mode.'),
    loaded: z.string().max(32).optional().describe('Nodes that run this generation / nodes that should.'),
    enforcing: z.string().max(32).optional().describe('Nodes that can deny or kill / nodes that should; "-": none is asked to.'),
    digest: z.string().max(64).optional().describe('Digest of the plan.'),
    nodes: nodes.optional(),
    failures: z
      .array(failure)
      .max(MAX_FAILURES)
      .optional()
      .meta({ description: 'Why nodes do not run the policy, most nodes first.', 'x-kubernetes-list-type': 'atomic' }),
    activity: activity.optional(),
  })
  .describe('What the cluster does about the policy.');

export type PolicyStatus = z.infer<typeof policyStatus>;
export type PolicyCondition = z.infer<typeof condition>;
export type PolicyFailure = z.infer<typeof failure>;
export type PolicyNodeCounts = z.infer<typeof nodes>;
export type PolicyActivity = z.infer<typeof activity>;

/** What the API server writes into a new object: Ready is Unknown until the controller has looked. */
export const INITIAL_STATUS = {
  observedGeneration: -1,
  conditions: [
    {
      type: 'Ready',
      status: 'Unknown',
      reason: 'Pending',
      message: 'Waiting for the Palisade controller',
      lastTransitionTime: '1970-01-01T00:00:00Z',
    },
  ],
} as const satisfies { observedGeneration: number; conditions: readonly PolicyCondition[] };
