/** Whether a kernel has what a hook names, and what it has instead. */
import type { KernelCatalogue, KernelFacts } from '../kernel-facts.ts';
import type { LoadReason } from '../reasons.ts';
import { type AttachPoint, syscallPrefix } from './attach-point.ts';
import type { NameSearch } from './name-search.ts';

export type Missing = { readonly reason: LoadReason; readonly message: string };

/** Without a catalogue nothing is known to be missing; the loader will say. */
export function findMissing(point: AttachPoint, kernel: KernelFacts, search: NameSearch): Missing | undefined {
  const catalogue = kernel.catalogue;
  if (catalogue === null) return undefined;
  switch (point.kind) {
    case 'user':
      return undefined;
    case 'tracepoint':
      return catalogue.tracepoints.has(point.name) ? undefined : missingTracepoint(point.name, catalogue, search);
    case 'raw_tracepoint': {
      const isThere = catalogue.tracepoints.has(point.name) || catalogue.types?.kernel.hasRawTracepoint(point.event) === true;
      return isThere ? undefined : missingTracepoint(point.name, catalogue, search);
    }
    case 'security': {
      // A kernel without BPF LSM names no hooks at all; there the function has to do.
      const isThere = catalogue.lsmHooks.size > 0 ? catalogue.lsmHooks.has(point.lsmHook) : catalogue.functions.has(point.functionName);
      return isThere
        ? undefined
        : { reason: 'LsmHookNotFound', message: missingText('LSM hook', point.lsmHook, catalogue.lsmHooks, search) };
    }
    case 'syscall':
    case 'function':
      return catalogue.functions.has(point.functionName) ? undefined : missingFunction(point, kernel, catalogue, search);
  }
}

function missingTracepoint(name: string, catalogue: KernelCatalogue, search: NameSearch): Missing {
  return { reason: 'TracepointMissing', message: missingText('tracepoint', name, catalogue.tracepoints, search) };
}

function missingFunction(
  point: AttachPoint & { kind: 'syscall' | 'function' },
  kernel: KernelFacts,
  catalogue: KernelCatalogue,
  search: NameSearch,
): Missing {
  if (catalogue.unprobeable?.has(point.functionName) === true) {
    return { reason: 'FunctionNotTraceable', message: `this kernel has the function "${point.functionName}" and allows no probe on it` };
  }
  const message =
    point.kind === 'syscall'
      ? missingText('system call', point.name, syscallNames(catalogue.functions, kernel.arch), search)
      : missingText('function', point.functionName, catalogue.functions, search);
  return { reason: 'FunctionNotFound', message };
}

/** `sys_execve` and the like, without the architecture's prefix: as people write them. */
export function* syscallNames(functions: Iterable<string>, arch: string): Generator<string> {
  const prefix = syscallPrefix(arch);
  for (const name of functions) {
    if (name.startsWith(`${prefix}sys_`)) yield name.slice(prefix.length);
  }
}

function missingText(what: string, name: string, candidates: Iterable<string>, search: NameSearch): string {
  return `this kernel has no ${what} "${name}"${search.near(name, candidates)}`;
}
