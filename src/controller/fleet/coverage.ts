import type { Clock } from '../../telemetry/clock.ts';
import type { Coverage } from '../status/status-input.ts';
import type { Fleet } from './fleet.ts';

/** Whether a controller that has just started has heard of enough of the fleet to speak about it. Once it has, it has. */
export type CoverageWatch = { coverage(): Coverage; readonly ratio: number };

const ENOUGH = 0.95;

/** `waitMs` from now on silence counts as an answer. */
export function watchCoverage(fleet: Fleet, clock: Clock, waitMs: number): CoverageWatch {
  const deadlineMs = clock.monotonicMs() + waitMs;
  let isSettled = false;
  const ratio = (): number => {
    const { agents, reported } = fleet.coverage();
    return agents === 0 ? 1 : reported / agents;
  };
  return {
    coverage: () => {
      const remainingMs = deadlineMs - clock.monotonicMs();
      isSettled ||= remainingMs <= 0 || ratio() >= ENOUGH;
      return isSettled ? { isSettled: true } : { isSettled: false, remainingMs };
    },
    get ratio() {
      return ratio();
    },
  };
}
