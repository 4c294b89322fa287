import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import type { PlanArg, PlanArgType, PlanHook, PlanSelector } from '../plan.ts';
import { PLAN_TYPES } from '../compile/argument-types.ts';
import { action, actions } from './actions.ts';
import { filter } from './filters.ts';
import { workload } from './scope.ts';
import { bytes, int32, path, text, textSet, unsigned, yes } from './values.ts';

const ARG_TYPES: ReadonlySet<unknown> = new Set(Object.values(PLAN_TYPES));
const argType = z.custom<PlanArgType>((value) => ARG_TYPES.has(value), 'no type of an argument');

const arg: z.ZodType<PlanArg> = z
  .strictObject({
    index: z.int().min(0).max(LIMITS.maxTracepointFieldIndex),
    type: argType,
    label: text(LIMITS.labelBytes),
    from: z.enum(['return', 'current_task', 'pt_regs']).exactOptional(),
    resolve: z
      .array(z.string().regex(/^([A-Za-z_][A-Za-z0-9_]{0,126}|\[(0|[1-9][0-9]{0,4})\])$/))
      .min(1)
      .max(LIMITS.resolveSteps)
      .exactOptional(),
    sizeIndex: z.int().min(0).max(LIMITS.maxTracepointFieldIndex).exactOptional(),
    returnCopy: yes,
    maxData: yes,
    btfType: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,126}$/)
      .exactOptional(),
    btfModule: z
      .string()
      .regex(/^[A-Za-z0-9_]{1,55}$/)
      .exactOptional(),
  })
  .refine(
    (value) =>
      (value.from !== 'current_task' && value.from !== 'pt_regs') ||
      (value.resolve !== undefined && (value.from === 'current_task' || value.resolve.length === 1)),
    'nothing to follow from there',
  )
  .refine((value) => value.btfModule === undefined || value.btfType !== undefined, 'a module without a type')
  .refine((value) => value.btfType === undefined || value.resolve !== undefined, 'a type and nothing to resolve');

const filters = z.array(filter).max(LIMITS.allFiltersPerSelector);

const selector: z.ZodType<PlanSelector> = z.strictObject({
  path,
  filters,
  actions,
  label: text(LIMITS.selectorLabelBytes).min(1).exactOptional(),
  workload: workload.exactOptional(),
  returnFilters: filters.min(1).exactOptional(),
  returnActions: z.array(action).min(1).max(LIMITS.actionsPerSelector).exactOptional(),
});

const file = bytes(LIMITS.fileBytes).regex(/^\//);
const numbers = z.array(unsigned).min(1).max(LIMITS.probePoints).exactOptional();

const user = z.strictObject({
  file,
  symbols: z
    .array(z.string().regex(/^[\x21-\x2a\x2c-\x7e]{1,512}(\+0x[1-9a-f][0-9a-f]{0,15})?$/))
    .min(1)
    .max(LIMITS.probePoints)
    .exactOptional(),
  offsets: numbers,
  addresses: numbers,
  semaphores: numbers,
  provider: text(127).min(1).exactOptional(),
  name: text(127).min(1).exactOptional(),
  btfFile: file.exactOptional(),
  digests: textSet(z.string().regex(/^(sha1|sha256|sha384|sha512|build-id):[0-9a-f]{2,128}$/), LIMITS.digestsPerProbe).exactOptional(),
});

const generated = z.union([
  z.strictObject({ from: z.literal('syscalls') }),
  z.strictObject({ from: z.literal('ftrace'), pattern: text(LIMITS.patternChars).min(1) }),
]);

/** The members of a hook one by one; `hookProblem` says how they fit. */
export const hook: z.ZodType<PlanHook> = z.strictObject({
  kind: z.enum(['kprobe', 'lsm', 'tracepoint', 'raw_tracepoint', 'fentry', 'uprobe', 'usdt']),
  section: z.enum(['kprobes', 'lsmhooks', 'tracepoints', 'fentries', 'uprobes', 'usdts']),
  index: int32,
  path,
  target: text(LIMITS.fileBytes).min(1),
  syscall: z.boolean(),
  generated: generated.exactOptional(),
  ignoreMissing: yes,
  returns: yes,
  returnSocket: z.enum(['track', 'untrack']).exactOptional(),
  user: user.exactOptional(),
  message: text(LIMITS.messageBytes),
  tags: z.array(text(LIMITS.tagBytes)).max(LIMITS.tagsPerHook),
  args: z.array(arg).max(LIMITS.argsPerHook),
  selectors: z.array(selector).min(1).max(LIMITS.selectorsPerHook),
});
