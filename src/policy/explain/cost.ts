import type { Plan, PlanAction, PlanArg, PlanHook } from '../plan.ts';
import { isOnEverySyscall } from '../warnings/every-syscall.ts';
import { isHot } from '../warnings/hot-hooks.ts';
import type { CostClass, CostExplanation } from './explanation.ts';
import { knowledgeOf } from './hook-sentences.ts';

/**
 * How much a policy may slow a node down, by what is known without measuring: how often its hooks are reached, and what is done there. It
 * does not matter how many pods are in scope, nor how many other policies sit on the same hook.
 */
export function costOf(plan: Plan): CostExplanation {
  const costs = plan.hooks.map(hookCost);
  const worst = ORDER.findLast((each) => costs.some((cost) => cost.class === each)) ?? 'low';
  const reasons = costs.filter((cost) => cost.class === worst).map(({ reason }) => reason);
  return { class: worst, reasons: [...new Set(reasons)] };
}

const ORDER = ['low', 'medium', 'high'] as const satisfies readonly CostClass[];

type HookCost = { readonly class: CostClass; readonly reason: string };

function hookCost(hook: PlanHook): HookCost {
  const say = (costClass: CostClass, reason: string): HookCost => ({ class: costClass, reason: `${hook.path}: ${reason}` });
  if (hook.generated !== undefined) {
    return say(
      'high',
      hook.generated.from === 'syscalls' ? 'it stands for hundreds of functions' : 'it stands for all functions that its pattern finds',
    );
  }
  if (hook.kind === 'uprobe' || hook.kind === 'usdt') {
    return say('medium', 'every time the program gets there, the CPU traps into the kernel (about a microsecond)');
  }
  const rate = knowledgeOf(hook)?.rate;
  if (rate === 'constant' || isHot(hook) || isOnEverySyscall(hook)) return say('high', 'it is reached all the time');
  const work = heaviestWork(hook);
  const often =
    rate === undefined ? 'how often it is reached is not known here' : rate === 'rare' ? 'it is reached rarely' : 'it is reached often';
  if (rate === 'rare') return say('low', often);
  return say(work === undefined ? 'low' : 'medium', `${often}, and ${work ?? 'only numbers are looked at'}`);
}

const PATH_TYPES: ReadonlySet<PlanArg['type']> = new Set(['file', 'path', 'dentry', 'fd', 'kiocb', 'linux_binprm']);
const BUFFER_TYPES: ReadonlySet<PlanArg['type']> = new Set(['char_buf', 'char_iovec', 'iov_iter', 'const_buf']);

/** Undefined: numbers only. */
function heaviestWork(hook: PlanHook): string | undefined {
  const actions = hook.selectors.flatMap((selector) => [...selector.actions, ...(selector.returnActions ?? [])]);
  if (actions.some(hasStack)) return 'stacks are walked for events';
  if (hook.args.some(({ maxData }) => maxData === true)) return 'large buffers are copied for events';
  if (hook.returns === true) return 'its return is watched as well';
  if (hook.args.some(({ type }) => PATH_TYPES.has(type))) return 'a path is put together each time that the conditions on the process hold';
  if (hook.args.some(({ type }) => BUFFER_TYPES.has(type))) return 'buffers are copied';
  return hook.args.some(({ type }) => isText(type)) ? 'texts are read' : undefined;
}

function isText(type: PlanArg['type']): boolean {
  return type === 'string' || type === 'filename' || type === 'data_loc' || type === 'sockaddr_un';
}

function hasStack(action: PlanAction): boolean {
  return action.type === 'post' && (action.kernelStack === true || action.userStack === true || action.imaHash === true);
}
