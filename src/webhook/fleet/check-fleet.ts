import { bind, type BindFailure } from '../../policy/bind.ts';
import { syscallPrefix } from '../../policy/bind/attach-point.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { KernelCatalogue, KernelFacts } from '../../policy/kernel-facts.ts';
import { matchesLabels } from '../../policy/label-match.ts';
import { didYouMean } from '../../policy/nearest.ts';
import type { PlanHook } from '../../policy/plan.ts';
import { fieldPath, quote } from '../../policy/problem.ts';
import { factsAgeMs, type Fleet, type FleetNode } from './fleet.ts';

/** Facts older than this refuse nothing. */
export const MAX_FACTS_AGE_MS = 10 * 60_000;
/** A refusal needs fresh facts about this share of the nodes that the policy is for. */
export const MIN_COVERAGE = 0.9;

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
  const covered = groups.reduce((sum, group) => sum + group.nodes, 0);
  const failures = findFailures(compiled, groups);
  const refusing = new Set(failures.flatMap((failure) => failure.groups));
  const isRefused = refusing.size === groups.length && covered >= matching.length * MIN_COVERAGE;
  const scope: Scope = { groups, matching: matching.length, covered };
  return failures.map((failure) => describe(failure, scope, isRefused));
}

/** Nodes with one kernel build, whose facts are fresh. */
type BuildGroup = { readonly kernel: KernelFacts; readonly nodes: number; readonly ageMs: number };
type Scope = { readonly groups: readonly BuildGroup[]; readonly matching: number; readonly covered: number };
type Failure = { readonly hook: PlanHook; readonly reason: BindFailure['reason']; readonly message: string; readonly groups: readonly BuildGroup[] };

function groupByBuild(nodes: readonly FleetNode[], fleet: Fleet, nowMs: number): readonly BuildGroup[] {
  const groups = new Map<string, BuildGroup>();
  for (const node of nodes) {
    const kernel = node.build === null ? undefined : fleet.builds.get(node.build);
    const ageMs = factsAgeMs(fleet, node, nowMs);
    if (node.build === null || kernel === undefined || ageMs > MAX_FACTS_AGE_MS) {
      continue;
    }
    const group = groups.get(node.build);
    groups.set(node.build, { kernel, nodes: (group?.nodes ?? 0) + 1, ageMs: Math.max(group?.ageMs ?? 0, ageMs) });
  }
  return [...groups.values()];
}

/** One entry per hook and reason, in the order of the hooks. */
function findFailures(compiled: CompiledPolicy, groups: readonly BuildGroup[]): readonly Failure[] {
  const found = new Map<string, Failure>();
  for (const group of groups) {
    for (const bound of bind(compiled.plan, group.kernel, compiled.mode)) {
      const hook = compiled.plan.hooks[bound.hook];
      if (bound.failure === null || hook === undefined) {
        continue;
      }
      const key = `${String(bound.hook).padStart(6, '0')} ${bound.failure.reason}`;
      const { reason, message } = bound.failure;
      found.set(key, { hook, reason, message, groups: [...(found.get(key)?.groups ?? []), group] });
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, failure]) => failure);
}

function describe(failure: Failure, scope: Scope, isRefused: boolean): FleetProblem {
  const { hook, reason } = failure;
  const field = MISSING_NAME[reason];
  const path = field === undefined ? hook.path : fieldPath(hook.path, FIELDS[hook.kind]);
  if (!isRefused) {
    const nodes = failure.groups.reduce((sum, group) => sum + group.nodes, 0);
    const verb = field === undefined ? 'will not work' : `${quote(hook.target)} does not exist`;
    const message = `${verb} on ${nodes} of ${count(scope.matching, 'node')} (${kernelsOf(failure.groups)}): ${reason}`;
    return { severity: 'warning', reason, path, message, hint: undefined };
  }
  const ageMs = Math.max(...failure.groups.map((group) => group.ageMs));
  const knowledge = `${count(failure.groups.length, 'kernel build')}, facts ${formatAge(ageMs)} old`;
  const isEverywhere = failure.groups.length === scope.groups.length;
  const who = isEverywhere ? 'no node' : `none of ${failure.groups.reduce((sum, group) => sum + group.nodes, 0)} nodes`;
  if (field === undefined) {
    return { severity: 'refusal', reason, path, message: `${who} can load this hook (${knowledge}): ${failure.message}`, hint: undefined };
  }
  const names = failure.groups.flatMap((group) => namesOf(group.kernel, field.kind, hook));
  return {
    severity: 'refusal',
    reason,
    path,
    message: `${who} has ${field.noun} ${quote(hook.target)} (${knowledge})`,
    hint: didYouMean(hook.target, new Set(names)),
  };
}

type MissingName = { readonly noun: string; readonly kind: keyof KernelCatalogue };

/** Reasons that say "there is no such name". */
const MISSING_NAME: Readonly<Partial<Record<BindFailure['reason'], MissingName>>> = {
  FunctionNotFound: { noun: 'function', kind: 'functions' },
  LsmHookNotFound: { noun: 'LSM hook', kind: 'lsmHooks' },
  TracepointMissing: { noun: 'tracepoint', kind: 'tracepoints' },
};

/** Where the name stands in a hook of the policy. */
const FIELDS: Readonly<Record<PlanHook['kind'], string>> = { kprobe: 'call', lsm: 'hook', tracepoint: 'event' };

/** Names as a policy would write them: system calls without the architecture's prefix. */
function namesOf(kernel: KernelFacts, kind: keyof KernelCatalogue, hook: PlanHook): readonly string[] {
  const names = kernel.catalogue === null ? [] : [...kernel.catalogue[kind]];
  if (!hook.syscall) {
    return names;
  }
  const prefix = syscallPrefix(kernel.arch);
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

function kernelsOf(groups: readonly BuildGroup[]): string {
  const releases = [...new Set(groups.map((group) => group.kernel.release))];
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
