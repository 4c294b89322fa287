import { argumentsOf } from '../filter-arguments.ts';
import { effectOf, isEnforcing } from '../effect.ts';
import { LIMITS } from '../limits.ts';
import { compileNamePattern } from '../name-pattern.ts';
import type { Plan, PlanAction, PlanHook, PlanHookKind, PlanSection, PlanSelector } from '../plan.ts';
import { filterProblem } from './filter-rules.ts';
import { SYMBOL_NAME, SYSCALL_NAME } from './values.ts';

/** What the members of a hook say about each other; the first that does not fit, or undefined. */
export function hookProblem(hook: PlanHook, plan: Plan): string | undefined {
  return (
    identityProblem(hook) ??
    userProbeProblem(hook) ??
    returnProblem(hook) ??
    expressionProblem(hook) ??
    hook.selectors.map((selector) => selectorProblem(selector, hook, plan)).find((problem) => problem !== undefined)
  );
}

const SECTIONS: Readonly<Record<PlanHookKind, PlanSection>> = {
  kprobe: 'kprobes',
  fentry: 'fentries',
  tracepoint: 'tracepoints',
  raw_tracepoint: 'tracepoints',
  lsm: 'lsmhooks',
  uprobe: 'uprobes',
  usdt: 'usdts',
};

function isFunctionKind(kind: PlanHookKind): boolean {
  return kind === 'kprobe' || kind === 'fentry';
}

function identityProblem(hook: PlanHook): string | undefined {
  const { kind, generated } = hook;
  if (hook.section !== SECTIONS[kind]) {
    return `a ${kind} in the section ${hook.section}`;
  }
  if ((hook.syscall || generated !== undefined) && !isFunctionKind(kind)) {
    return `a ${kind} cannot be a system call or generated`;
  }
  if (generated !== undefined) {
    const fits = generated.from === 'syscalls' ? hook.syscall : !hook.syscall && compileNamePattern(generated.pattern).ok;
    return fits && hook.target !== '' ? undefined : 'its functions cannot be generated';
  }
  return targetPattern(hook).test(hook.target) ? undefined : `its target is no name of a ${kind}`;
}

function targetPattern({ kind, syscall }: PlanHook): RegExp {
  switch (kind) {
    case 'kprobe':
    case 'fentry':
      return syscall ? SYSCALL_NAME : SYMBOL_NAME;
    case 'lsm':
      return SYMBOL_NAME;
    case 'tracepoint':
    case 'raw_tracepoint':
      return /^[A-Za-z_][A-Za-z0-9_-]{0,126}\/[A-Za-z_][A-Za-z0-9_-]{0,126}$/;
    case 'uprobe':
    case 'usdt':
      return /^\//;
  }
}

function userProbeProblem({ kind, user, target }: PlanHook): string | undefined {
  if ((user !== undefined) !== (kind === 'uprobe' || kind === 'usdt')) {
    return user === undefined ? 'it has no place in a program' : 'it has a place in a program';
  }
  if (user === undefined) {
    return undefined;
  }
  const points = [user.symbols, user.offsets, user.addresses].filter((list) => list !== undefined);
  const isUsdt = user.provider !== undefined && user.name !== undefined && points.length === 0;
  const isUprobe = user.provider === undefined && user.name === undefined && points.length === 1;
  if (user.file !== target || !(kind === 'usdt' ? isUsdt && user.digests === undefined : isUprobe)) {
    return 'its place in a program does not fit its kind';
  }
  return user.semaphores === undefined || user.semaphores.length === points[0]?.length ? undefined : 'semaphores without a place';
}

function returnProblem(hook: PlanHook): string | undefined {
  const returned = hook.args.filter((arg) => arg.from === 'return');
  const canReturn = isFunctionKind(hook.kind) || hook.kind === 'uprobe';
  if ((hook.returns === true && !canReturn) || returned.length !== (hook.returns === true ? 1 : 0)) {
    return 'its return is not watched as its arguments say';
  }
  if (hook.returnSocket !== undefined && (!isFunctionKind(hook.kind) || !isSocket(returned[0]))) {
    return 'it returns no socket';
  }
  const late = hook.args.some((arg) => arg.returnCopy === true && (!canReturn || (arg.type !== 'char_buf' && arg.type !== 'char_iovec')));
  return late ? 'a buffer that is not read at return' : undefined;
}

function isSocket(arg: PlanHook['args'][number] | undefined): boolean {
  return arg?.type === 'sock' || arg?.type === 'socket';
}

function expressionProblem({ selectors }: PlanHook): string | undefined {
  const filters = selectors.flatMap((selector) => [...selector.filters, ...(selector.returnFilters ?? [])]);
  return filters.filter((filter) => filter.on === 'cel').length > LIMITS.celPerHook ? 'too many expressions' : undefined;
}

function selectorProblem(selector: PlanSelector, hook: PlanHook, plan: Plan): string | undefined {
  const late = (index: number): boolean => hook.args[index]?.from === 'return' || hook.args[index]?.returnCopy === true;
  const { filters, returnFilters = [], returnActions = [] } = selector;
  if ((returnFilters.length > 0 || returnActions.length > 0) && hook.returns !== true) {
    return 'the return is not watched';
  }
  const wrong = [...filters, ...returnFilters].map((filter) => filterProblem(filter, hook)).find((problem) => problem !== undefined);
  if (wrong !== undefined) {
    return wrong;
  }
  if (filters.some((filter) => argumentsOf(filter).some(late)) || returnFilters.some((filter) => !argumentsOf(filter).some(late))) {
    return 'a filter looks at an argument when it is not there';
  }
  const problem = (actions: readonly PlanAction[], moment: 'entry' | 'return'): string | undefined =>
    actions.map((action) => actionProblem(action, moment, hook, plan)).find((message) => message !== undefined);
  return problem(selector.actions, 'entry') ?? problem(returnActions, 'return');
}

function actionProblem(action: PlanAction, moment: 'entry' | 'return', hook: PlanHook, plan: Plan): string | undefined {
  const refused = `the action ${action.type} is not possible there`;
  if (hook.kind === 'fentry' && isEnforcing(effectOf([action]))) {
    return refused;
  }
  switch (action.type) {
    case 'override': {
      const isPossible = moment === 'entry' && ['kprobe', 'lsm', 'uprobe'].includes(hook.kind);
      const isErrno = hook.kind === 'uprobe' || (action.errno < 0 && action.errno >= -LIMITS.maxErrno);
      return isPossible && isErrno ? undefined : refused;
    }
    case 'set_registers':
    case 'redirect':
      return hook.kind === 'uprobe' && moment === 'entry' ? undefined : refused;
    case 'set':
      return hook.kind === 'usdt' && hook.args[action.arg] !== undefined ? undefined : refused;
    case 'track_sock':
    case 'untrack_sock':
      return isFunctionKind(hook.kind) && moment === 'entry' && isSocket(hook.args[action.arg]) ? undefined : refused;
    case 'notify_enforcer':
      return plan.enforcer !== undefined && moment === 'entry' ? undefined : refused;
    case 'get_url':
    case 'dns_lookup':
      return plan.scope.namespace === null ? undefined : refused;
    default:
      return undefined;
  }
}
