import {
  PAL_C_DENY,
  PAL_C_KILL,
  PAL_C_LOST,
  PAL_C_POST,
  PAL_C_RATE_LIMITED,
  PAL_C_WOULD_DENY,
  PAL_C_WOULD_KILL,
} from '../../abi/layout.ts';
import type { PolicyStatus } from '../local/requests.ts';
import type { Choice } from './choose-plans.ts';
import { rowOf } from './policy-report.ts';
import type { RunningPolicy } from './running.ts';

/** All there is to say of every policy of this node, for people. `counters`: by policy number, values by PAL_C_*. */
export function policyStatuses(
  choices: readonly Choice[],
  running: ReadonlyMap<string, RunningPolicy>,
  counters: ReadonlyMap<number, readonly bigint[]>,
): PolicyStatus[] {
  return choices.map((choice) => {
    const runs = running.get(choice.entry.uid);
    const counted = runs === undefined ? undefined : counters.get(runs.number);
    const sum = (...indices: number[]): string => indices.reduce((total, index) => total + (counted?.[index] ?? 0n), 0n).toString();
    const { kind, namespace, name } = choice.entry;
    return {
      ...rowOf(choice, runs),
      kind,
      namespace,
      name,
      hooks: (runs?.hooks ?? []).map((hook) => ({ ...hook, notes: [...hook.notes] })),
      counters: {
        events: sum(PAL_C_POST),
        wouldEnforce: sum(PAL_C_WOULD_KILL, PAL_C_WOULD_DENY),
        enforced: sum(PAL_C_KILL, PAL_C_DENY),
        lost: sum(PAL_C_LOST),
        rateLimited: sum(PAL_C_RATE_LIMITED),
      },
    };
  });
}
