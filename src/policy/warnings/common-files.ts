import type { PlanBytesFilter, PlanHook, PlanSelector } from '../plan.ts';
import type { ProblemSink } from '../problem.ts';
import type { Subject } from './subject.ts';
import { enforces, isExcepted, isMonitor, isOnValues, nameOf, namesSomeProcesses, placesOf } from './narrowing.ts';

/** Hooks that every file passes which is opened. */
export const OPENING: ReadonlySet<string> = new Set([
  'file_open',
  'security_file_open',
  'file_permission',
  'security_file_permission',
  'sys_open',
  'sys_openat',
  'sys_openat2',
  'syscalls/sys_enter_open',
  'syscalls/sys_enter_openat',
  'syscalls/sys_enter_openat2',
]);

/** What the loader of a dynamically linked program opens before the program's first instruction, on common distributions. */
const COMMON_FILES = [
  '/etc/ld.so.cache',
  '/usr/lib/x86_64-linux-gnu/libc.so.6',
  '/lib/x86_64-linux-gnu/libc.so.6',
  '/usr/lib/aarch64-linux-gnu/libc.so.6',
  '/usr/lib64/libc.so.6',
  '/lib64/libc.so.6',
  '/lib/ld-musl-x86_64.so.1',
] as const;

/** A filter on paths that is wider than it looks: with "/etc/" no program starts any more, since each opens /etc/ld.so.cache. */
export function warnOfCommonFiles(sink: ProblemSink, { policy, plan }: Subject): void {
  for (const place of placesOf(plan.hooks)) {
    const { hook, selector } = place;
    if (isMonitor(policy) || !OPENING.has(hook.target) || !enforces(place) || selector.filters.some(isOnProcess)) {
      continue;
    }
    const file = COMMON_FILES.find((each) => matches(hook, selector, each));
    if (file !== undefined && !isExcepted(place, (earlier) => lets(hook, earlier, file))) {
      const message = `matches ${file}, which nearly every program opens when it starts: ${nameOf(hook)} would stop them all`;
      sink.warn('CommonFile', selector.path, message, 'name the files that matter, or the programs by matchBinaries');
    }
  }
}

/** Kubernetes and Linux namespaces say where, not which program. */
function isOnProcess(filter: PlanSelector['filters'][number]): boolean {
  return namesSomeProcesses(filter) && filter.on !== 'podNamespace' && filter.on !== 'namespace';
}

/** Only selectors whose filters on values are all about texts: anything else may well leave out what programs do when they start. */
function matches(hook: PlanHook, selector: PlanSelector, file: string): boolean {
  const filters = selector.filters.filter(isOnValues);
  const texts = filters.filter((filter): filter is PlanBytesFilter => filter.on === 'bytes');
  const isOnOneText = texts.every((filter) => filter.arg === texts[0]?.arg && hook.args[filter.arg]?.resolve === undefined);
  return texts.length === filters.length && isOnOneText && texts.every((filter) => holds(filter, file));
}

/** Whoever opens it: an exception for some programs leaves all others. */
function lets(hook: PlanHook, earlier: PlanSelector, file: string): boolean {
  return earlier.workload === undefined && earlier.filters.every(isOnValues) && matches(hook, earlier, file);
}

/** Compared as text: these names are ASCII, so bytes and characters agree, and lists of values may be long. */
function holds({ operator, values }: PlanBytesFilter, file: string): boolean {
  const isNegated = operator.startsWith('Not');
  const fits = operator.endsWith('Prefix')
    ? values.some((value) => file.startsWith(value))
    : operator.endsWith('Postfix')
      ? values.some((value) => file.endsWith(value))
      : values.includes(file);
  return fits !== isNegated;
}
