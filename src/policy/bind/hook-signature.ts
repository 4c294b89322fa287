/** What a hook hands out on a kernel, where that is known. */
import type { Btf, Prototype } from '../btf/type-index.ts';
import { plainType, pointee } from '../btf/types.ts';
import type { KernelFacts, TracepointField } from '../kernel-facts.ts';
import type { PlanArg, PlanHook } from '../plan.ts';
import type { AttachPoint } from './attach-point.ts';
import type { NameSearch } from './name-search.ts';

/** What a hook hands out: typed parameters, or fields. */
export type Signature =
  | { readonly of: 'function'; readonly name: string; readonly prototype: Prototype; readonly btf: Btf }
  | { readonly of: 'syscall'; readonly name: string; readonly fields: readonly TracepointField[] }
  | { readonly of: 'tracepoint'; readonly name: string; readonly fields: readonly TracepointField[] };

/** Undefined: not known here, or the hook is none of the kernel's. */
export function signatureOf(hook: PlanHook, point: AttachPoint, kernel: KernelFacts): Signature | undefined {
  const catalogue = kernel.catalogue;
  if (catalogue === null || hook.generated !== undefined) return undefined;
  const btf = catalogue.types?.kernel;
  const typed = (name: string, prototype: Prototype | undefined): Signature | undefined =>
    btf === undefined || prototype === undefined ? undefined : { of: 'function', name, prototype, btf };
  switch (point.kind) {
    case 'tracepoint': {
      const fields = catalogue.formatOf?.(point.name);
      return fields === undefined ? undefined : { of: 'tracepoint', name: point.name, fields };
    }
    case 'raw_tracepoint':
      return typed(point.event, btf?.tracePrototypeOf(point.event));
    case 'syscall': {
      const fields = catalogue.formatOf?.(`syscalls/${point.name.replace(/^sys_/, 'sys_enter_')}`);
      return fields === undefined ? undefined : { of: 'syscall', name: point.name, fields: fields.filter(isSyscallArgument) };
    }
    case 'security': {
      const asHook = hook.kind === 'lsm' ? btf?.lsmPrototypeOf(point.lsmHook) : undefined;
      return asHook === undefined ? typed(point.functionName, btf?.prototypeOf(point.functionName)) : typed(point.lsmHook, asHook);
    }
    case 'function':
      return typed(point.functionName, btf?.prototypeOf(point.functionName));
    case 'user':
      return undefined;
  }
}

/** Since 6.19 texts that arguments point to are fields as well. */
function isSyscallArgument(field: TracepointField): boolean {
  return !field.name.startsWith('common_') && !field.dataLocation && field.name !== '__syscall_nr' && field.name !== 'nr';
}

export type ArgContext = {
  readonly hook: PlanHook;
  readonly arg: PlanArg;
  readonly position: number;
  readonly kernel: KernelFacts;
  readonly signature: Signature | undefined;
  readonly search: NameSearch;
};

/** The type of the value that `resolve` begins at, for kernels whose types are known. */
export function startType({ arg, signature }: ArgContext): { readonly btf: Btf; readonly type: number } | undefined {
  if (signature?.of !== 'function') return undefined;
  const { btf, prototype } = signature;
  const type = arg.from === 'return' ? prototype.returns : prototype.parameters[arg.index]?.type;
  const target = type === undefined ? undefined : pointee(btf.types, type);
  return target === undefined ? undefined : { btf, type: plainType(btf.types, target) };
}
