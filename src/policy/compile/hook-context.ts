import type { PlanHookKind } from '../plan.ts';
import type { SelectorBudget } from './budget.ts';
import type { DeclaredArg } from './declared.ts';
import type { ListTable } from './lists.ts';
import type { MacroTable } from './macros.ts';

/** What of the whole policy its hooks need to know. */
export type PolicyContext = {
  readonly lists: ListTable;
  readonly macros: MacroTable;
  readonly budget: SelectorBudget;
  readonly hasEnforcer: boolean;
  readonly isNamespaced: boolean;
};

/** What of a hook its selectors need to know. */
export type HookContext = {
  readonly policy: PolicyContext;
  readonly kind: PlanHookKind;
  /** Name of the LSM hook; of no interest for other kinds. */
  readonly target: string;
  /** The function can be made to return an error: a system call, a security_* function, an LSM hook. */
  readonly canDeny: boolean;
  /** `return: true`. */
  readonly returns: boolean;
  readonly args: readonly DeclaredArg[];
};
