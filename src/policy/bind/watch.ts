/** The ways in which a kernel lets a hook be watched, at its entry and at its return, and to kill there. */
import { type AttachMethod, type KernelFacts, hasFact } from '../kernel-facts.ts';
import type { PlanHook } from '../plan.ts';
import { canUseFunction, type DenyQuestion } from './deny.ts';
import type { Missing } from './missing-name.ts';
import { type BoundMethod, boundMethod, entryMethods, functionReturnMethods, isLsmUsable, persistentFirst } from './methods.ts';

export function watchMethods({ hook, point, target, kernel, choice }: DenyQuestion): readonly BoundMethod[] {
  const one = (method: AttachMethod, name: string): BoundMethod => boundMethod(kernel, method, name, 'none');
  switch (point.kind) {
    case 'tracepoint':
      return [one('tracepoint', point.name)];
    case 'raw_tracepoint':
      return rawTracepointMethods(hook, point.event, kernel);
    case 'user':
      return [
        ...(hasFact(kernel, 'uprobe_multi') && choice.singleUprobes !== true ? [one('uprobe_multi', target)] : []),
        // As with kprobes: the last resort is tried where nothing is known about it.
        ...(kernel.facts['uprobe'] === false ? [] : [one('uprobe', target)]),
      ];
    case 'security': {
      const lsm = isLsmUsable(kernel) ? [one('lsm', point.lsmHook)] : [];
      const viaFunction = canUseFunction(hook, point, kernel)
        ? persistentFirst(entryMethods(kernel, point.functionName, 'none', choice))
        : [];
      return [...lsm, ...viaFunction];
    }
    case 'syscall':
    case 'function': {
      if (hook.kind === 'fentry') return hasFact(kernel, 'fentry') ? [one('fentry', target)] : [];
      const entry = entryMethods(kernel, target, 'none', choice);
      const canEnter = point.kind === 'syscall' && kernel.facts['raw_tracepoint'] !== false;
      return persistentFirst([...entry, ...(canEnter ? [one('raw_tp_sys_enter', target)] : [])]);
    }
  }
}

/** Typed arguments are followed by programs that know their types; plain numbers need none. */
function rawTracepointMethods(hook: PlanHook, event: string, kernel: KernelFacts): readonly BoundMethod[] {
  const isTyped = hook.args.some((arg) => arg.resolve !== undefined || !/^(?:u?int\d+|nop)$/.test(arg.type));
  const raw = kernel.facts['raw_tracepoint'] === false ? [] : [boundMethod(kernel, 'raw_tracepoint', event, 'none')];
  const typed = hasFact(kernel, 'fentry') ? [boundMethod(kernel, 'tp_btf', event, 'none')] : [];
  return isTyped ? [...typed, ...raw] : [...raw, ...typed];
}

/** Empty where the hook does not ask for its return, or has none. */
export function returnMethods({ hook, point, target, kernel, choice }: DenyQuestion): readonly BoundMethod[] {
  if (hook.returns !== true && !hook.args.some((arg) => arg.returnCopy === true)) return [];
  const one = (method: AttachMethod): BoundMethod => boundMethod(kernel, method, target, 'none');
  switch (point.kind) {
    case 'security':
      return functionReturnMethods(kernel, point.functionName, choice);
    case 'syscall':
    case 'function':
      if (hook.kind === 'fentry') return hasFact(kernel, 'fentry') ? [one('fexit')] : [];
      return functionReturnMethods(kernel, target, choice);
    case 'user':
      return [
        ...(hasFact(kernel, 'uprobe_multi') && choice.singleUprobes !== true ? [one('uretprobe_multi')] : []),
        ...(kernel.facts['uprobe'] === false ? [] : [one('uretprobe')]),
      ];
    case 'tracepoint':
    case 'raw_tracepoint':
      return [];
  }
}

/** A kill that stands in for a deny. */
export function killMethods({ hook, point, target, kernel, choice }: DenyQuestion): readonly BoundMethod[] {
  switch (point.kind) {
    case 'security':
      if (!canUseFunction(hook, point, kernel)) return [];
      return persistentFirst(entryMethods(kernel, point.functionName, 'kill', choice));
    case 'syscall':
    case 'function':
      return persistentFirst(entryMethods(kernel, target, 'kill', choice));
    case 'tracepoint':
    case 'raw_tracepoint':
    case 'user':
      return [];
  }
}

/** Why nothing watches here, in the words of the policy: a kprobe asked for a function, an LSM hook for a hook. */
export function whyNoWatch({ hook, point, kernel }: DenyQuestion): Missing {
  if (hook.kind === 'fentry') return untraceable('this kernel runs no fentry programs; a kprobe on the function would watch it');
  if (point.kind === 'user') return untraceable('this kernel has no perf events on user probes (CONFIG_UPROBES)');
  if (point.kind === 'security' && kernel.catalogue?.functions.has(point.functionName) === false) {
    if (hook.kind === 'kprobe') return { reason: 'FunctionNotFound', message: `this kernel has no function "${point.functionName}"` };
    if (!isLsmUsable(kernel)) {
      const message = `watching this hook needs BPF LSM, which is not active, or a function ${point.functionName}, which this kernel does not have`;
      return { reason: 'LSMNotEnabled', message };
    }
  }
  return untraceable('this kernel allows no probe on it');
}

function untraceable(message: string): Missing {
  return { reason: 'FunctionNotTraceable', message };
}
