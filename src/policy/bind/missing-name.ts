/** Whether a kernel has what a hook names, and what it has instead. */
import { type KernelCatalogue, type KernelFacts, hasFact } from '../kernel-facts.ts';
import { nearestName } from '../nearest.ts';
import type { LoadReason } from '../reasons.ts';
import { type AttachPoint, syscallPrefix } from './attach-point.ts';

export type Missing = { readonly reason: LoadReason; readonly message: string };

/** Without a catalogue nothing is known to be missing; the loader will say. */
export function findMissing(point: AttachPoint, kernel: KernelFacts): Missing | undefined {
  const catalogue = kernel.catalogue;
  if (catalogue === null) return undefined;
  switch (point.kind) {
    case 'user':
      return undefined;
    case 'tracepoint':
      return catalogue.tracepoints.has(point.name) ? undefined : missingTracepoint(point.name, catalogue);
    case 'raw_tracepoint': {
      const isThere = catalogue.tracepoints.has(point.name) || catalogue.types?.kernel.hasRawTracepoint(point.event) === true;
      return isThere ? undefined : missingTracepoint(point.name, catalogue);
    }
    case 'security': {
      // A kernel without BPF LSM names no hooks at all; there the function has to do.
      const isThere = catalogue.lsmHooks.size > 0 ? catalogue.lsmHooks.has(point.lsmHook) : catalogue.functions.has(point.functionName);
      return isThere ? undefined : { reason: 'LsmHookNotFound', message: missingText('LSM hook', point.lsmHook, catalogue.lsmHooks) };
    }
    case 'syscall':
    case 'function':
      return catalogue.functions.has(point.functionName) ? undefined : missingFunction(point, kernel, catalogue);
  }
}

function missingTracepoint(name: string, catalogue: KernelCatalogue): Missing {
  return { reason: 'TracepointMissing', message: missingText('tracepoint', name, catalogue.tracepoints) };
}

function missingFunction(point: AttachPoint & { kind: 'syscall' | 'function' }, kernel: KernelFacts, catalogue: KernelCatalogue): Missing {
  if (catalogue.unprobeable?.has(point.functionName) === true) {
    return { reason: 'FunctionNotTraceable', message: `this kernel has the function "${point.functionName}" and allows no probe on it` };
  }
  const message =
    point.kind === 'syscall'
      ? missingText('system call', point.name, syscallNames(catalogue.functions, kernel.arch))
      : missingText('function', point.functionName, catalogue.functions);
  return { reason: 'FunctionNotFound', message };
}

/** `sys_execve` and the like, without the architecture's prefix: as people write them. */
export function* syscallNames(functions: Iterable<string>, arch: string): Generator<string> {
  const prefix = syscallPrefix(arch);
  for (const name of functions) {
    if (name.startsWith(`${prefix}sys_`)) yield name.slice(prefix.length);
  }
}

function missingText(what: string, name: string, candidates: Iterable<string>): string {
  const near = nearestName(name, candidates);
  return `this kernel has no ${what} "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

/** What a filter needs of a kernel that not every kernel has. */
export function needsLoop(kernel: KernelFacts): Missing | undefined {
  return hasFact(kernel, 'bpf_loop')
    ? undefined
    : { reason: 'NeedsBpfLoop', message: 'SubString needs bpf_loop, which this kernel lacks (Linux 5.17 has it)' };
}
