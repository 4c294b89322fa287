import type { PlanAction } from './plan.ts';

/** What a selector's actions add up to when it matches. */
export type Effect = {
  /** An event is sent. True unless NoPost is among the actions. */
  readonly post: boolean;
  readonly kill: boolean;
  /** What the call returns instead of running; null: it runs. */
  readonly errno: number | null;
  /** What the event reports: the last action. */
  readonly action: PlanAction['type'];
};

export function effectOf(actions: readonly PlanAction[]): Effect {
  let post = true;
  let kill = false;
  let errno: number | null = null;
  let action: PlanAction['type'] = 'post';
  for (const entry of actions) {
    action = entry.type;
    if (entry.type === 'nopost') {
      post = false;
    } else if (entry.type === 'sigkill') {
      kill = true;
    } else if (entry.type === 'override') {
      errno = entry.errno;
    }
  }
  return { post, kill, errno, action };
}

export function isEnforcing(effect: Effect): boolean {
  return effect.kill || effect.errno !== null;
}
