/** What the agent tells of its policies: rows only for those that are not as `bind` predicts, and a digest over the others. Pure. */
import { bind } from '../../policy/bind.ts';
import { isEnforcingHook } from '../../policy/effect.ts';
import type { KernelFacts } from '../../policy/kernel-facts.ts';
import type { LoadReason } from '../../policy/reasons.ts';
import { boundDigest } from '../../protocol/bound-digest.ts';
import type { PolicyState, Row } from '../../protocol/hub-frames.ts';
import type { Choice } from './choose-plans.ts';
import type { RunningPolicy } from './running.ts';

export type PolicyReport = { readonly bound: string; readonly rows: readonly Row[] };

export type ReportInput = {
  readonly choices: readonly Choice[];
  readonly running: ReadonlyMap<string, RunningPolicy>;
  readonly kernel: KernelFacts;
  /** `exceptions`: as always. `all`: a row for every policy, the hub asked for it. */
  readonly rows: 'exceptions' | 'all';
};

const MAX_MESSAGE_CHARS = 256;

export function policyReport(input: ReportInput): PolicyReport {
  const rows: Row[] = [];
  const unsaid: { uid: string; hooks: { path: string; method: string }[] }[] = [];
  for (const choice of input.choices) {
    const running = input.running.get(choice.entry.uid);
    const row = rowOf(choice, running);
    const isAsPredicted = row.state === 'loaded' && choice.state === 'wished' && hasPredictedMethods(choice, running, input.kernel);
    if (input.rows === 'all' || !isAsPredicted) rows.push(row);
    else unsaid.push({ uid: choice.entry.uid, hooks: (running?.hooks ?? []).map(({ path, method }) => ({ path, method })) });
  }
  return { bound: boundDigest(unsaid), rows };
}

/** Everything there is to say of one policy on this node. */
export function rowOf(choice: Choice, running: RunningPolicy | undefined): Row {
  const { entry, failure } = choice;
  const note = running?.hooks.flatMap((hook) => hook.notes.map((reason) => ({ reason, hook: hook.name })))[0];
  const state = stateOf(choice, running, note !== undefined);
  const reason = reasonOf(state, failure?.reason, note?.reason);
  const hook = failure?.hook ?? (state === 'degraded' ? note?.hook : undefined);
  const methods = [...new Set(running?.hooks.map(({ method }) => method) ?? [])]
    .filter((method) => method !== '')
    .toSorted()
    .join('+');
  return {
    uid: entry.uid,
    generation: entry.generation,
    runs: running?.digest ?? null,
    mode: running?.mode ?? 'off',
    state,
    reason,
    ...(hook === undefined ? {} : { hook: hook.slice(0, 256) }),
    ...(methods === '' ? {} : { method: methods.slice(0, 128) }),
    ...(failure?.stage === undefined ? {} : { stage: failure.stage.slice(0, 32) }),
    ...(failure?.errno === undefined ? {} : { errno: failure.errno }),
    ...(isToothless(choice, running) ? { canEnforce: false } : {}),
    ...(failure === null || failure.message === '' ? {} : { message: failure.message.slice(0, MAX_MESSAGE_CHARS) }),
  };
}

/** The policy is to enforce, and this kernel lacks every hook at which it would. */
function isToothless({ chosen }: Choice, running: RunningPolicy | undefined): boolean {
  if (running?.mode !== 'enforce' || chosen?.digest !== running.digest) return false;
  const methods = chosen.plan.hooks.flatMap((hook, position) => (isEnforcingHook(hook) ? [running.hooks[position]?.method] : []));
  return methods.length > 0 && methods.every((method) => method === '');
}

function stateOf(choice: Choice, running: RunningPolicy | undefined, isDegraded: boolean): PolicyState {
  switch (choice.state) {
    case 'suspended':
      return 'excluded';
    case 'unsupported':
      return 'unsupported';
    case 'failed':
      return choice.failure?.reason === 'CostExceeded' ? 'excluded' : 'failed';
    case 'waiting':
      return 'loading';
    case 'fallback':
      return running === undefined ? 'failed' : 'fallback';
    case 'held':
    case 'wished':
      if (running === undefined || running.digest !== choice.chosen?.digest || running.mode !== choice.entry.mode) return 'loading';
      return isDegraded ? 'degraded' : 'loaded';
  }
}

function reasonOf(state: PolicyState, failure: LoadReason | undefined, note: LoadReason | undefined): string {
  if (state === 'loaded') return '';
  return failure ?? (state === 'degraded' ? (note ?? '') : '');
}

/** The hub predicts with facts alone, without the names that this kernel has. */
function hasPredictedMethods(choice: Choice, running: RunningPolicy | undefined, kernel: KernelFacts): boolean {
  if (choice.chosen === null || running === undefined) return false;
  const bound = bind(choice.chosen.plan, { ...kernel, catalogue: null }, choice.chosen.mode);
  // By position: all functions of a list have the same path.
  return bound.every((hook, position) => running.hooks[position]?.method === hook.methods[0]?.method);
}
