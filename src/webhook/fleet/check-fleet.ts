import { bind } from '../../policy/bind.ts';
import { syscallPrefix } from '../../policy/bind/attach-point.ts';
import type { BindFailure } from '../../policy/bind/bound-hook.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import { matchesLabels } from '../../policy/label-match.ts';
import { didYouMean } from '../../policy/nearest.ts';
import type { PlanHook } from '../../policy/plan.ts';
import { quote } from '../../policy/problem.ts';
import { factsAgeMs, type Fleet, type FleetBuild, type FleetNode } from './fleet.ts';

/** Facts older than this refuse nothing. */
export const MAX_FACTS_AGE_MS = 10 * 60_000;
/** A refusal needs fresh facts about this share of the nodes that the policy is for. */
export const MIN_COVERAGE = 0.9;
const MAX_HINTS = 3;

/** What some kernels say to one hook. */
export type FleetProblem = {
  /** `refusal`: every kernel of the nodes that the policy is for says no, and enough is known to be sure. */
  readonly severity: 'refusal' | 'warning';
  readonly reason: BindFailure['reason'] | 'KernelChecksSkipped' | 'NoMatchingNodes';
  readonly path: string;
  readonly message: string;
  readonly hint: string | undefined;
};

/**
 * Compares a policy with the kernels that it is for (control-plane 4.6). Pure. What would fail on every node is refused, what would fail
 * on some is a warning; old or missing knowledge never refuses.
 */
export function checkFleet(compiled: CompiledPolicy, fleet: Fleet | null, nowMs: number): readonly FleetProblem[] {
  if (fleet === null || nowMs - fleet.heardAtMs > MAX_FACTS_AGE_MS) {
    return [skipped('nothing recent is known of the nodes')];
  }
  const matching = [...fleet.nodes.values()].filter(
    (node) => compiled.nodeSelector === null || matchesLabels(compiled.nodeSelector, node.labels),
  );
  if (matching.length === 0) {
    return fleet.nodes.size === 0 ? [] : [noMatchingNodes(fleet.nodes.size)];
  }
  const groups = groupByBuild(matching, fleet, nowMs);
  if (groups.length === 0) {
    return [skipped(`no kernel of the ${count(matching.length, 'node')} is known`)];
  }
  const covered = nodesOf(groups);
  const failures = findFailures(compiled, groups);
  const refusing = new Set(failures.flatMap((failure) => failure.groups));
  const scope: Scope = { groups, matching: matching.length };
  if (refusing.size < groups.length || covered < matching.length * MIN_COVERAGE) {
    return failures.map((failure) => describeWarning(failure, scope));
  }
  return failures.map((failure, position) => ({
    ...describeRefusal(failure, scope),
    // A search through all names of a kernel takes up to a tenth of a second; nobody reads more suggestions at once.
    hint: position < MAX_HINTS ? suggestion(failure) : undefined,
  }));
}

/** Nodes with one kernel build, whose facts are fresh. */
type BuildGroup = { readonly build: FleetBuild; readonly nodes: number; readonly ageMs: number };
type Scope = { readonly groups: readonly BuildGroup[]; readonly matching: number };
type Failure = {
  /** What the hook is called; null for what a policy asks for beside its hooks. */
  readonly hook: PlanHook | null;
  readonly reason: BindFailure['reason'];
  /** The field that cannot be had. */
  readonly field: string;
  readonly message: string;
  readonly groups: readonly BuildGroup[];
};

function groupByBuild(nodes: readonly FleetNode[], fleet: Fleet, nowMs: number): readonly BuildGroup[] {
  const groups = new Map<string, BuildGroup>();
  for (const node of nodes) {
    const build = node.build === null ? undefined : fleet.builds.get(node.build);
    const ageMs = factsAgeMs(fleet, node, nowMs);
    if (node.build === null || build === undefined || ageMs > MAX_FACTS_AGE_MS) {
      continue;
    }
    const group = groups.get(node.build);
    groups.set(node.build, { build, nodes: (group?.nodes ?? 0) + 1, ageMs: Math.max(group?.ageMs ?? 0, ageMs) });
  }
  return [...groups.values()];
}

/** One entry per hook and reason, in the order of the hooks. */
function findFailures(compiled: CompiledPolicy, groups: readonly BuildGroup[]): readonly Failure[] {
  const found = new Map<string, Failure>();
  for (const group of groups) {
    for (const bound of bind(compiled.plan, group.build.kernel, compiled.mode)) {
      if (bound.failure === null) {
        continue;
      }
      const hook = bound.part === 'hook' ? (compiled.plan.hooks[bound.hook] ?? null) : null;
      const key = `${String(bound.hook).padStart(6, '0')} ${bound.part} ${bound.failure.reason}`;
      const { reason, field, message } = bound.failure;
      found.set(key, { hook, reason, field, message, groups: [...(found.get(key)?.groups ?? []), group] });
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, failure]) => failure);
}

function describeWarning(failure: Failure, scope: Scope): FleetProblem {
  const { reason, field } = failure;
  const name = missingNameOf(failure);
  const verb = name === undefined ? 'will not work' : `${quote(name.target)} does not exist`;
  const message = `${verb} on ${nodesOf(failure.groups)} of ${count(scope.matching, 'node')} (${kernelsOf(failure.groups)}): ${reason}`;
  return { severity: 'warning', reason, path: field, message, hint: undefined };
}

function describeRefusal(failure: Failure, scope: Scope): Omit<FleetProblem, 'hint'> {
  const { reason, field, groups } = failure;
  const ageMs = Math.max(...groups.map((group) => group.ageMs));
  const knowledge = `${count(groups.length, 'kernel build')}, facts ${formatAge(ageMs)} old`;
  const who = groups.length === scope.groups.length ? 'no node' : `none of ${nodesOf(groups)} nodes`;
  const name = missingNameOf(failure);
  const message =
    name === undefined
      ? `${who} can load this${failure.hook === null ? '' : ' hook'} (${knowledge}): ${failure.message}`
      : `${who} has ${name.noun} ${quote(name.target)} (${knowledge})`;
  return { severity: 'refusal', reason, path: field, message };
}

/** From the kernel that most nodes run. */
function suggestion(failure: Failure): string | undefined {
  const name = missingNameOf(failure);
  const [largest] = failure.groups.toSorted((a, b) => b.nodes - a.nodes);
  return name === undefined || largest === undefined
    ? undefined
    : didYouMean(name.target, namesOf(largest.build, name.kind, name.isSyscall));
}

function nodesOf(groups: readonly BuildGroup[]): number {
  return groups.reduce((sum, group) => sum + group.nodes, 0);
}

type MissingName = { readonly noun: string; readonly kind: NameKind };
type NameKind = 'functions' | 'lsmHooks' | 'tracepoints';

/** Reasons that say "there is no such name". */
const MISSING_NAME: Readonly<Partial<Record<BindFailure['reason'], MissingName>>> = {
  FunctionNotFound: { noun: 'function', kind: 'functions' },
  LsmHookNotFound: { noun: 'LSM hook', kind: 'lsmHooks' },
  TracepointMissing: { noun: 'tracepoint', kind: 'tracepoints' },
};

/** Undefined: something else is wrong. */
function missingNameOf({ hook, reason }: Failure): (MissingName & { readonly target: string; readonly isSyscall: boolean }) | undefined {
  const missing = MISSING_NAME[reason];
  if (missing === undefined || hook === null || hook.generated !== undefined) {
    return undefined;
  }
  return { ...missing, target: hook.target, isSyscall: hook.syscall };
}

/** Names as a policy would write them: system calls without the architecture's prefix. */
function namesOf(build: FleetBuild, kind: NameKind, isSyscall: boolean): Iterable<string> {
  const names = build.names?.[kind] ?? [];
  if (!isSyscall) {
    return names;
  }
  const prefix = syscallPrefix(build.kernel.arch);
  return [...names].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

function kernelsOf(groups: readonly BuildGroup[]): string {
  const releases = [...new Set(groups.map((group) => group.build.kernel.release))];
  const more = releases.length > 2 ? ` and ${releases.length - 2} more` : '';
  return `kernel ${releases.slice(0, 2).join(', ')}${more}`;
}

function formatAge(ageMs: number): string {
  const seconds = Math.round(ageMs / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function skipped(why: string): FleetProblem {
  return { severity: 'warning', reason: 'KernelChecksSkipped', path: 'spec', message: `kernel checks skipped: ${why}`, hint: undefined };
}

function noMatchingNodes(nodes: number): FleetProblem {
  return {
    severity: 'warning',
    reason: 'NoMatchingNodes',
    path: 'spec.nodeSelector',
    message: `fits none of the ${count(nodes, 'node')} that have an agent`,
    hint: undefined,
  };
}
