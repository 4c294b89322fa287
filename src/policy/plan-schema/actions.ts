import { z } from 'zod';
import { isDomainName } from '../names.ts';
import { LIMITS } from '../limits.ts';
import type { PlanAction } from '../plan.ts';
import { text, unsigned, yes } from './values.ts';

const arg = z
  .int()
  .min(0)
  .max(LIMITS.argsPerHook - 1);

const signal = z.int().min(0).max(LIMITS.maxSignal);
const errnoOrNone = z.int().min(-LIMITS.maxErrno).max(0);

const post = z
  .strictObject({
    type: z.literal('post'),
    rateLimitMs: z.int().min(1).max(LIMITS.maxRateLimitMs).exactOptional(),
    rateLimitScope: z.enum(['process', 'global']).exactOptional(),
    kernelStack: yes,
    userStack: yes,
    imaHash: yes,
  })
  .refine((value) => value.rateLimitScope === undefined || value.rateLimitMs !== undefined, 'rateLimitScope without rateLimitMs');

const SIGKILL = 9;

export const action: z.ZodType<PlanAction> = z.discriminatedUnion('type', [
  post,
  z.strictObject({ type: z.literal('nopost') }),
  z.strictObject({ type: z.literal('sigkill') }),
  z.strictObject({
    type: z.literal('signal'),
    signal: signal.min(1).refine((value) => value !== SIGKILL, 'SIGKILL is the action sigkill'),
  }),
  z.strictObject({ type: z.literal('override'), errno: z.int().min(-2_147_483_648).max(2_147_483_647) }),
  z.strictObject({
    type: z.literal('set_registers'),
    registers: z
      .array(z.string().regex(/^[a-z0-9_]{2,8}=(-?[0-9]{1,20}|(-?[1-9][0-9]{0,19})?(%[a-z0-9_]{2,8}|\(%[a-z0-9_]{2,8}\)))$/))
      .min(1)
      .max(LIMITS.registersPerAction),
  }),
  z
    .strictObject({
      type: z.literal('redirect'),
      to: z.enum(['symbol', 'address', 'offset']),
      target: text(LIMITS.symbolBytes + 20).min(1),
    })
    .refine(({ to, target }) => to === 'symbol' || unsigned.safeParse(target).success, 'no number'),
  z.strictObject({ type: z.enum(['track_sock', 'untrack_sock']), arg }),
  z
    .strictObject({ type: z.literal('notify_enforcer'), errno: errnoOrNone, signal })
    .refine((value) => value.errno !== 0 || value.signal !== 0, 'neither an error nor a signal'),
  z.strictObject({ type: z.literal('cleanup_enforcer') }),
  z.strictObject({
    type: z.literal('get_url'),
    url: text(LIMITS.urlBytes).refine((value) => /^https?:/.test(value) && URL.canParse(value), 'no URL to fetch'),
  }),
  z.strictObject({ type: z.literal('dns_lookup'), name: text(253).refine(isDomainName, 'no domain name') }),
  z.strictObject({ type: z.literal('set'), arg, value: z.int().min(0).max(4_294_967_295) }),
]);

export const actions = z.array(action).min(1).max(LIMITS.actionsPerSelector);
