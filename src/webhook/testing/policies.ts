/** A policy that is right: denies opening one file. */
export function goodPolicy(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    apiVersion: 'cilium.io/v1alpha1',
    kind: 'TracingPolicy',
    metadata: { name: 'guard' },
    spec: {
      podSelector: {},
      lsmhooks: [
        {
          hook: 'file_open',
          args: [{ index: 0, type: 'file' }],
          selectors: [
            {
              matchArgs: [{ index: 0, operator: 'Equal', values: ['/etc/shadow'] }],
              matchActions: [{ action: 'Override', argError: -1 }],
            },
          ],
        },
      ],
      ...changes,
    },
  };
}

/** A policy that watches one kernel function. */
export function watching(call: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...goodPolicy(), spec: { kprobes: [{ call, syscall: false }], ...changes } };
}
