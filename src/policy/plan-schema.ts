import { z } from 'zod';
import { serializePlan } from './digest.ts';
import { LIMITS } from './limits.ts';
import { PLAN_FORMAT, type Plan } from './plan.ts';

const text = (max: number) => z.string().max(max);
const path = text(512);
const int32 = z.int().min(0).max(2_147_483_647);
const decimal = z.string().regex(/^(0|-?[1-9][0-9]{0,19})$/);
const membership = z.enum(['In', 'NotIn']);
const namespaceName = text(63).min(1);
const values = (value: z.ZodType<string>) => z.array(value).min(1).max(LIMITS.valuesPerFilter);

const labelSelector = z.strictObject({
  matchLabels: z.record(text(LIMITS.labelKeyChars), text(63)),
  matchExpressions: z.array(
    z.strictObject({
      key: text(LIMITS.labelKeyChars),
      operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
      values: z.array(text(63)),
    }),
  ),
});

const arg = z
  .int()
  .min(0)
  .max(LIMITS.argsPerHook - 1);

const filter = z.discriminatedUnion('on', [
  z.strictObject({ on: z.literal('int'), arg, operator: z.enum(['Equal', 'NotEqual']), values: values(decimal) }),
  z.strictObject({
    on: z.literal('bytes'),
    arg,
    operator: z.enum(['Equal', 'NotEqual', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix']),
    values: values(text(LIMITS.equalBytes).min(1)),
  }),
  z.strictObject({ on: z.literal('binary'), operator: membership, values: values(text(LIMITS.binaryBytes).min(1)) }),
  z.strictObject({
    on: z.literal('namespace'),
    namespace: z.enum(['uts', 'ipc', 'mnt', 'pid', 'pid_for_children', 'net', 'time', 'time_for_children', 'cgroup', 'user']),
    operator: membership,
    values: values(z.string().regex(/^(host_ns|0|[1-9][0-9]{0,9})$/)),
  }),
  z.strictObject({ on: z.literal('podNamespace'), operator: membership, values: values(namespaceName) }),
  z.strictObject({
    on: z.literal('capability'),
    set: z.enum(['effective', 'permitted', 'inheritable']),
    operator: membership,
    mask: z.string().regex(/^[1-9][0-9]{0,19}$/),
    isNamespaceCapability: z.boolean(),
  }),
]);

const action = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('post') }),
  z.strictObject({ type: z.literal('nopost') }),
  z.strictObject({ type: z.literal('sigkill') }),
  z.strictObject({ type: z.literal('override'), errno: z.int().min(-LIMITS.maxErrno).max(-1) }),
]);

const selector = z.strictObject({
  path,
  filters: z.array(filter).max(1024),
  actions: z.array(action).min(1).max(LIMITS.actionsPerSelector),
});

const hook = z
  .strictObject({
    kind: z.enum(['kprobe', 'lsm', 'tracepoint']),
    section: z.enum(['kprobes', 'lsmhooks', 'tracepoints']),
    index: int32,
    path,
    target: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,126}(\/[A-Za-z_][A-Za-z0-9_-]{0,126})?$/),
    syscall: z.boolean(),
    message: text(LIMITS.messageBytes),
    tags: z.array(text(LIMITS.tagBytes)).max(LIMITS.tagsPerHook),
    args: z
      .array(
        z.strictObject({
          index: z.int().min(0).max(LIMITS.maxTracepointFieldIndex),
          type: z.enum(['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'string', 'path', 'file']),
          label: text(LIMITS.labelBytes),
        }),
      )
      .max(LIMITS.argsPerHook),
    selectors: z.array(selector).min(1).max(LIMITS.selectorsPerHook),
  })
  .refine((value) => filterArgsExist(value), { message: 'a filter names an argument that the hook does not read' });

const plan: z.ZodType<Plan> = z.strictObject({
  format: z.literal(PLAN_FORMAT),
  scope: z.strictObject({ namespace: namespaceName.nullable(), podSelector: labelSelector.nullable() }),
  options: z.strictObject({
    onUnknown: z.enum(['match', 'nomatch']).nullable(),
    onPending: z.enum(['wait', 'apply']),
    substitute: z.enum(['none', 'kill']),
    eventRatePerSecond: z.int().min(1).max(LIMITS.maxEventsPerSecond),
  }),
  hooks: z.array(hook).min(1).max(LIMITS.hooksPerPolicy),
});

type HookShape = { readonly args: readonly unknown[]; readonly selectors: readonly z.infer<typeof selector>[] };

function filterArgsExist(value: HookShape): boolean {
  return value.selectors.every((entry) => entry.filters.every((each) => !('arg' in each) || each.arg < value.args.length));
}

export type ReadPlan = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly message: string };

/**
 * A plan from the hub or from disk. Checked in full, although its digest was checked before: a digest says that it is what was asked
 * for, not that it is a plan of this version.
 */
export function readPlan(planText: string): ReadPlan {
  if (Buffer.byteLength(planText) > LIMITS.planBytes) {
    return { ok: false, message: `the plan is larger than ${LIMITS.planBytes} bytes` };
  }
  let json: unknown;
  try {
    json = JSON.parse(planText);
  } catch {
    return { ok: false, message: 'the plan is no JSON' };
  }
  const result = plan.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    return {
      ok: false,
      message: `the plan is wrong at ${(issue?.path ?? []).join('.').slice(0, 200)}: ${issue?.message.slice(0, 200) ?? ''}`,
    };
  }
  if (result.data.scope.namespace !== null && result.data.options.onPending === 'apply') {
    return { ok: false, message: 'the plan of a namespaced policy acts on containers of unknown namespace' };
  }
  return serializePlan(result.data) === planText
    ? { ok: true, plan: result.data }
    : { ok: false, message: 'the plan is not in canonical form' };
}
