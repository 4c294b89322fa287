import { effectOf, isEnforcing } from '../effect.ts';
import type { PlanHook, PlanSelector } from '../plan.ts';
import type { Policy } from '../policy.ts';
import { type ProblemSink, quote } from '../problem.ts';
import type { Subject } from './subject.ts';
import { nameOf, placesOf } from './narrowing.ts';

/** `MAY_WRITE` of the kernel, which `mask` of these hooks holds when a file is written. */
const MASK = 'args {index: 1, type: int}, matchArgs {index: 1, operator: Equal, values: ["2"]} (2: written)';

/** Hooks that files pass whether they are read or written, and where the difference can be seen. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['file_open', `use the lsmhook file_permission, ${MASK}`],
  ['file_permission', `add ${MASK}`],
  ['inode_permission', 'add args {index: 1, type: int}, matchArgs {index: 1, operator: Mask, values: ["2"]} (2: written)'],
  ['mmap_file', 'add args {index: 2, type: uint64}, matchArgs {index: 2, operator: Mask, values: ["2"]} (2: PROT_WRITE)'],
]);

/** System calls and functions that open files: by the time of `file_open` their flags are checked and the file is the right one. */
const OPENERS: ReadonlySet<string> = new Set([
  'sys_open',
  'sys_openat',
  'sys_openat2',
  'do_sys_open',
  'do_sys_openat2',
  'do_filp_open',
  'vfs_open',
  'fd_install',
  'syscalls/sys_enter_open',
  'syscalls/sys_enter_openat',
  'syscalls/sys_enter_openat2',
]);

const WRITING =
  /^(?:(?:over)?(?:write|writes|writer|writers|writing|written)|(?:modif|tamper|truncat)[a-z]*|(?:append|alter|edit)(?:s|ed|ing)?|readonly)$/;

/** The policy says that it is about writing, and nothing in it tells writing from reading. */
export function warnOfReadingAsWell(sink: ProblemSink, { policy, plan }: Subject): void {
  for (const { hook, selector } of placesOf(plan.hooks)) {
    const hint = hintFor(hook);
    const word = hint === undefined ? undefined : wordOfWriting(policy, hook, selector);
    if (hint === undefined || word === undefined || selector.filters.some(isOnNumber)) {
      continue;
    }
    const what = doing(selector);
    sink.warn('ReadingAsWell', selector.path, `${quote(word)}, but ${nameOf(hook)} is also passed for reading: ${what}`, hint);
  }
}

function hintFor(hook: PlanHook): string | undefined {
  if (OPENERS.has(hook.target)) {
    return HINTS.get('file_open');
  }
  return hook.kind === 'lsm' ? HINTS.get(hook.target) : HINTS.get(hook.target.replace(/^security_/, ''));
}

/** Of a policy that says so in its name, or of this hook: the name or text with the word. */
function wordOfWriting(policy: Policy, hook: PlanHook, selector: PlanSelector): string | undefined {
  return [policy.name, hook.message, ...hook.tags, selector.label ?? ''].find((text) =>
    text
      .replaceAll(/read[- ]only/gi, 'readonly')
      .toLowerCase()
      .split(/[^a-z]+/)
      .some((part) => WRITING.test(part)),
  );
}

/** A number among the values is a mask, a mode or flags: it can tell the difference. */
function isOnNumber({ on }: PlanSelector['filters'][number]): boolean {
  return on === 'int' || on === 'mask' || on === 'range' || on === 'cel';
}

function doing(selector: PlanSelector): string {
  const effect = effectOf(selector.actions);
  if (effect.kill) {
    return 'who reads is killed';
  }
  return isEnforcing(effect) ? 'readers are stopped' : 'readers are reported';
}
