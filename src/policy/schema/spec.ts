import { z } from 'zod';
import { enforcer, fentry, kprobe, list, lsmHook, option, tracepoint, uprobe, usdt } from './hooks.ts';
import { labelSelector, nodeLabelSelector } from './label-selector.ts';
import { type Rule, cel, object, withRules } from './primitives.ts';
import { selector } from './selectors.ts';

const hostSelector = withRules(
  labelSelector(
    '{}: the policy is about processes of the host; with a podSelector or containerSelector about both. Labels cannot be given.',
  ),
  {
    rule: '!has(self.matchLabels) && !has(self.matchExpressions)',
    message: 'hostSelector must be null or {}',
    holds: (value) => value.matchLabels === undefined && value.matchExpressions === undefined,
  },
);

/** The API server says so in few words; `compile` says it with the path, among all other problems. */
export const POLICY_MODE: Rule<z.infer<typeof option>> = {
  rule: 'self.name != "policy-mode" || (has(self.value) && self.value in ["enforce", "monitor"])',
  message: 'the option policy-mode is enforce or monitor',
  holds: ({ name, value }) => name !== 'policy-mode' || value === 'enforce' || value === 'monitor',
};

/** The whole language: every field of upstream's TracingPolicySpec, with its types, enums and defaults. */
export const tracingPolicySpec = object(
  {
    kprobes: z.array(kprobe).optional().describe('Probes on kernel functions and system calls.'),
    tracepoints: z.array(tracepoint).optional().describe('Tracepoints of the kernel.'),
    lsmhooks: z.array(lsmHook).optional().describe('Hooks of the Linux security modules: the first choice for enforcement.'),
    uprobes: z.array(uprobe).optional().describe('Probes on functions of programs and libraries.'),
    usdts: z.array(usdt).optional().describe('Tracepoints that are built into programs.'),
    fentries: z.array(fentry).optional().describe('Probes on kernel functions that only observe.'),
    loader: z
      .boolean()
      .optional()
      .describe('Report files that processes map as code, with their build ids. For the whole node: it takes no pod selectors.'),
    enforcers: z.array(enforcer).optional().describe('Calls that the action NotifyEnforcer can deny or kill in.'),
    lists: z.array(list).optional().describe('Named lists of functions, used as list:NAME.'),
    options: z
      .array(option.meta({ ...option.meta(), ...cel(POLICY_MODE) }))
      .optional()
      .describe('Settings, for example {name: policy-mode, value: monitor} to see what would be denied or killed without doing it.'),
    selectorsMacros: z
      .record(z.string(), selector)
      .optional()
      .describe('Named parts of selectors, for example {web: {matchBinaries: [...]}}; a selector takes them in by macros: [web].'),
    podSelector: labelSelector(
      'Pods that the policy is about, by their labels. {}: all pods. None of podSelector, containerSelector and hostSelector: every process, ' +
        'those of the host too (of a TracingPolicyNamespaced: all pods of its namespace).',
    ).optional(),
    containerSelector: labelSelector(
      'Containers that the policy is about, by the fields name and repo (image without tag) in place of labels: {matchLabels: {name: main}}.',
    ).optional(),
    hostSelector: hostSelector.optional(),
    nodeSelector: nodeLabelSelector('Nodes that run the policy, by their labels. None: all nodes.').optional(),
  },
  'What to watch (kprobes, tracepoints, lsmhooks and the other hooks), about whom (the selectors of pods, containers, hosts and nodes), and how ' +
    '(options). A field that does not exist is refused.',
  'Spec',
);

export type TracingPolicySpec = z.infer<typeof tracingPolicySpec>;

/** The sections that have hooks. */
export const HOOK_SECTIONS = [
  'kprobes',
  'tracepoints',
  'lsmhooks',
  'fentries',
  'uprobes',
  'usdts',
] as const satisfies readonly (keyof TracingPolicySpec)[];
