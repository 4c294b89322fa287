import { z } from 'zod';
import { enforcer, kprobe, list, lsmHook, option, tracepoint, uprobe, usdt } from './hooks.ts';
import { labelSelector } from './label-selector.ts';
import { cel, object, withRules } from './primitives.ts';
import { selector } from './selectors.ts';

const hostSelector = withRules(labelSelector('Null or {}; {}: the policy is about processes of the host too.'), {
  rule: '!has(self.matchLabels) && !has(self.matchExpressions)',
  message: 'hostSelector must be null or {}',
  holds: (value) => value.matchLabels === undefined && value.matchExpressions === undefined,
});

const POLICY_MODE = {
  rule: 'self.name != "policy-mode" || self.value == "enforce" || self.value == "monitor"',
  message: 'the option policy-mode is enforce or monitor',
};

/** The whole language: every field of upstream's TracingPolicySpec, with its types, enums and defaults. */
export const tracingPolicySpec = object(
  {
    kprobes: z.array(kprobe).optional().describe('Probes on kernel functions.'),
    tracepoints: z.array(tracepoint).optional().describe('Kernel tracepoints.'),
    lsmhooks: z.array(lsmHook).optional().describe('Hooks of the Linux security modules.'),
    uprobes: z.array(uprobe).optional().describe('Probes on functions of programs.'),
    usdts: z.array(usdt).optional().describe('Tracepoints of programs.'),
    fentries: z.array(kprobe).optional().describe('Probes on kernel functions by fentry.'),
    loader: z.boolean().optional().describe('Report files that are mapped as code.'),
    enforcers: z.array(enforcer).optional().describe('Calls that NotifyEnforcer can deny.'),
    lists: z.array(list).optional().describe('Named lists of functions.'),
    options: z
      .array(option.meta(cel(POLICY_MODE)))
      .optional()
      .describe('Options of the policy.'),
    selectorsMacros: z.record(z.string(), selector).optional().describe('Named filters for selectors.'),
    podSelector: labelSelector('Pods that the policy is about.').optional(),
    containerSelector: labelSelector('Containers that the policy is about, by the fields name and repo.').optional(),
    hostSelector: hostSelector.optional(),
    nodeSelector: labelSelector('Nodes that load the policy.').optional(),
  },
  'What to watch, and what to do about it.',
);

export type TracingPolicySpec = z.infer<typeof tracingPolicySpec>;
