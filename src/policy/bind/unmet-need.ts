/** What operators and actions need of a kernel that not every kernel has. */
import { type KernelFacts, hasFact } from '../kernel-facts.ts';
import type { PlanHook } from '../plan.ts';
import type { BindFailure } from './bound-hook.ts';

export function findUnmetNeed(hook: PlanHook, kernel: KernelFacts): BindFailure | null {
  for (const { path, filters, actions, returnFilters = [] } of hook.selectors) {
    if ([...filters, ...returnFilters].some((filter) => filter.on === 'substring') && !hasFact(kernel, 'bpf_loop')) {
      const message = 'SubString needs bpf_loop, which this kernel lacks (Linux 5.17 has it)';
      return { reason: 'NeedsBpfLoop', field: `${path}.matchArgs`, message };
    }
    if (actions.some((action) => action.type === 'post' && action.imaHash === true) && lacksIma(kernel)) {
      const message = 'imaHash needs the functions of IMA, which this kernel was built without (CONFIG_IMA)';
      return { reason: 'KfuncMissing', field: `${path}.matchActions`, message };
    }
  }
  return null;
}

/** Where nothing is known of the build, the loader will say. */
function lacksIma({ config = {} }: KernelFacts): boolean {
  return Object.keys(config).length > 0 && config['CONFIG_IMA'] !== 'y';
}
