import type { Plan } from '../plan.ts';
import type { Policy } from '../policy.ts';
import { type Problem, type ProblemSink, createProblemSink } from '../problem.ts';
import type { Subject } from './subject.ts';
import { warnOfChangingArguments } from './changing-arguments.ts';
import { warnOfCommonFiles } from './common-files.ts';
import { warnOfEveryProgram } from './every-program.ts';
import { warnOfEverySyscall } from './every-syscall.ts';
import { warnOfHotHooks } from './hot-hooks.ts';
import { warnOfKillsWithoutDeny } from './kill-without-deny.ts';
import { warnOfMissingScope } from './missing-scope.ts';
import { warnOfOneAddressFamily } from './one-address-family.ts';
import { warnOfReadingAsWell } from './reading-as-well.ts';
import { warnOfSelectorOrder } from './selector-order.ts';
import { warnOfUnsteadyFunctions } from './unsteady-functions.ts';

/** The worst first: who sees only some of them sees these. */
const CHECKS: readonly ((sink: ProblemSink, subject: Subject) => void)[] = [
  warnOfEveryProgram,
  warnOfCommonFiles,
  warnOfMissingScope,
  warnOfReadingAsWell,
  warnOfOneAddressFamily,
  warnOfSelectorOrder,
  warnOfChangingArguments,
  warnOfKillsWithoutDeny,
  warnOfEverySyscall,
  warnOfHotHooks,
  warnOfUnsteadyFunctions,
];

/** What a valid policy does that its author probably does not mean. Warnings only, and bounded; they never refuse a policy. */
export function dangers(policy: Policy, plan: Plan): readonly Problem[] {
  const sink = createProblemSink();
  addDangers(sink, { policy, plan });
  return sink.list();
}

/** The same, among the problems that are known already. */
export function addDangers(sink: ProblemSink, subject: Subject): void {
  for (const check of CHECKS) {
    check(sink, subject);
  }
}
