import { type Parameter, typeText } from '../policy/btf/types.ts';
import type { Btf } from '../policy/btf/type-index.ts';
import type { KernelCatalogue, TracepointField } from '../policy/kernel-facts.ts';
import { FIELDS_BEFORE_ARGUMENTS, syscallTracepoint } from './argument-names.ts';
import type { NamedKernel } from './kernel-choice.ts';

/** A name that a policy can hook, and what its arguments are, numbered as policies number them. */
export type FoundName = {
  readonly kind: 'LSM hook' | 'system call' | 'tracepoint' | 'function';
  /** As policies write it: `file_open`, `sys_openat`, `sched/sched_process_exec`, `security_file_open`. */
  readonly name: string;
  /** Those that have it, of those that were asked. */
  readonly kernels: readonly string[];
  /** `0: struct file *file`; those of the newest kernel that has it. Empty: none, or not known. */
  readonly arguments: readonly string[];
};

/** Pure: names that contain a text. Where one is the text itself, it comes first; otherwise in the order of kinds, short names first. */
export function findNames(kernels: readonly NamedKernel[], text: string): readonly FoundName[] {
  const wanted = text.toLowerCase();
  const found = new Map<string, FoundName>();
  for (const { name: kernel, facts } of kernels) {
    if (facts.catalogue === null) continue;
    for (const { kind, name } of namesOf(facts.catalogue, wanted)) {
      const key = `${kind} ${name}`;
      const before = found.get(key)?.kernels ?? [];
      found.set(key, { kind, name, kernels: [...before, kernel], arguments: argumentsOf(facts.catalogue, kind, name) });
    }
  }
  return [...found.values()].toSorted(
    (a, b) => rank(a, wanted) - rank(b, wanted) || a.name.length - b.name.length || (a.name < b.name ? -1 : 1),
  );
}

const KINDS = ['LSM hook', 'system call', 'tracepoint', 'function'] as const;

/** Functions that the security modules stand behind come before the others of the kernel. */
function rank({ kind, name }: FoundName, wanted: string): number {
  const isBehind = kind === 'function' && !name.startsWith('security_');
  return KINDS.indexOf(kind) + (isBehind ? 1 : 0) + (name.toLowerCase() === wanted ? 0 : KINDS.length + 1);
}

const SYSCALL = /^__(?:x64|arm64)_(sys_.+)$/;

function* namesOf(catalogue: KernelCatalogue, wanted: string): Generator<Pick<FoundName, 'kind' | 'name'>> {
  const fits = (name: string): boolean => name.toLowerCase().includes(wanted);
  for (const name of catalogue.lsmHooks) if (fits(name)) yield { kind: 'LSM hook', name };
  for (const name of catalogue.tracepoints) if (fits(name)) yield { kind: 'tracepoint', name };
  for (const name of catalogue.functions) {
    const syscall = SYSCALL.exec(name)?.[1];
    if (syscall === undefined ? fits(name) && !name.startsWith('bpf_lsm_') : fits(syscall)) {
      yield syscall === undefined ? { kind: 'function', name } : { kind: 'system call', name: syscall };
    }
  }
}

function argumentsOf({ types, formatOf }: KernelCatalogue, kind: FoundName['kind'], name: string): readonly string[] {
  switch (kind) {
    case 'LSM hook':
      return parametersText(types?.kernel, types?.kernel.lsmPrototypeOf(name)?.parameters);
    case 'function':
      return parametersText(types?.kernel, types?.kernel.prototypeOf(name)?.parameters);
    case 'tracepoint':
      return fieldsText(formatOf?.(name)).slice(COMMON_FIELDS);
    case 'system call':
      return fieldsText(formatOf?.(syscallTracepoint(name))?.slice(FIELDS_BEFORE_ARGUMENTS));
  }
}

/** Fields that all tracepoints begin with: type, flags, preempt_count, pid. */
const COMMON_FIELDS = 4;

function parametersText(btf: Btf | undefined, parameters: readonly Parameter[] | undefined): readonly string[] {
  if (btf === undefined || parameters === undefined) return [];
  return parameters.map(({ name, type }, index) => `${index}: ${`${typeText(btf.types, type)} ${name}`.replace('* ', '*')}`);
}

function fieldsText(fields: readonly TracepointField[] | undefined): readonly string[] {
  return (fields ?? []).map(({ declaration }, index) => `${index}: ${declaration}`);
}
