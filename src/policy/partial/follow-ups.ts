import { type Problem, fieldPath } from '../problem.ts';
import type { ProblemCode } from '../problem-codes.ts';
import type { ArgFilterSpec } from '../schema/selectors.ts';
import { HOOK_SECTIONS, type TracingPolicySpec } from '../schema/spec.ts';
import { pathText } from '../shape-problems.ts';
import { type HookSight, decidesAboutHook, sightOf } from './hook-sight.ts';
import type { Flaw, Repaired } from './repair.ts';

/** Problems that are about what two entries of a list have in common. */
const OF_NEIGHBOURS: ReadonlySet<ProblemCode> = new Set<ProblemCode>(['RepeatedAction', 'RepeatedName', 'RepeatedOption']);

/** That a part of the spec is not for namespaces is so whatever stands in it, and that there are more problems than are listed. */
const OF_NO_FLAW: ReadonlySet<ProblemCode> = new Set<ProblemCode>(['NotInNamespacedPolicy', 'TooManyProblems']);

/** Problems of references, and the part of the spec that they refer to. */
const OF_REFERENCES: ReadonlyMap<ProblemCode, keyof TracingPolicySpec> = new Map<ProblemCode, keyof TracingPolicySpec>([
  ['UnknownList', 'lists'],
  ['BadList', 'lists'],
  ['UnknownMacro', 'selectorsMacros'],
  ['NoEnforcer', 'enforcers'],
  ['EnforcerConflict', 'options'],
]);

/**
 * Says of a problem of a repaired policy whether it may come from a flaw alone: whether it may be gone when the flaw is mended. In doubt it
 * may, for nobody should look for a mistake that is none.
 */
export function followUpsOf({ spec, flaws }: Repaired): (problem: Problem) => boolean {
  const places = flaws.map((flaw) => ({
    flaw,
    at: flaw.at === null ? null : pathText('spec', flaw.at),
    owner: pathText('spec', flaw.owner),
  }));
  const hooks = sightOf(spec, flaws, isFlawed(flaws, 'lists'));

  const isOfObject = ({ path }: Problem): boolean =>
    places.some(
      ({ flaw, at, owner }) => (at !== null && isWithin(path, at)) || (isWithin(path, owner) && isOwn(flaw, path.slice(owner.length))),
    );
  const isOfReference = ({ code, path }: Problem): boolean => {
    const part = OF_REFERENCES.get(code);
    return part !== undefined && !isWithin(path, fieldPath('spec', part)) && isFlawed(flaws, part);
  };
  const isOfNeighbour = ({ code, path }: Problem): boolean => {
    const list = /^(.*)\[\d+\][^[\]]*$/.exec(path)?.[1];
    return OF_NEIGHBOURS.has(code) && list !== undefined && places.some(({ at }) => at?.startsWith(`${list}[`));
  };
  const isOfHook = ({ path }: Problem): boolean => {
    const hook = hooks.find((each) => isWithin(path, each.path));
    if (hook !== undefined) return isUnseen(hook, path);
    return isWithin(path, 'spec.selectorsMacros') && JUDGED_BLOCK.test(path) && hooks.length > 0;
  };
  return (problem) =>
    !OF_NO_FLAW.has(problem.code) &&
    (problem.code === 'Unused' || isOfObject(problem) || isOfReference(problem) || isOfNeighbour(problem) || isOfHook(problem));
}

/** The object itself, one of its fields (`ignore` is about its hook), or an entry of a list there; other objects in it speak for themselves. */
const OWN_FIELD = /^(?:\.ignore)?(?:\.\w+|\["(?:[^"\\]|\\.)*"\])?(?:\[\d+\])*$/;
/** Parts of a selector that depend on the values that its hook reads, and on what it is. */
const JUDGED_BLOCK = /\.(matchArgs|matchData|matchReturnArgs|matchActions|matchReturnActions)\b(?:\[(\d+)\])?/;
/** Parameters of actions that are right or wrong wherever the action stands. */
const PLAIN_PARAMETER = /\.(?:argError|argSig|argUrl|argFqdn|argValue|rateLimit|rateLimitScope)$/;
const VALUE = /^\.(?:args|data|returnArg|returnArgAction)\b/;

/** `inOwner`: the rest of a path. Fields of hooks and selectors stand beside each other, those of smaller objects are read together. */
function isOwn({ owner, meant }: Flaw, inOwner: string): boolean {
  if (inOwner === '') return true;
  if (owner.length === 0 || !OWN_FIELD.test(inOwner)) return false;
  const isHook = owner.length === 2 && HOOK_SECTIONS.some((section) => section === owner[0]);
  const isHookOrSelector = isHook || owner.at(-2) === 'selectors';
  return !isHookOrSelector || decidesAboutHook(meant) || meant.includes(/^\.(\w+)/.exec(inOwner)?.[1] ?? '');
}

/** `spec.a[1].b` is within `spec.a[1]`, and not within `spec.a[1].c` or `spec.a`'s neighbour `spec.ab`. */
function isWithin(path: string, base: string): boolean {
  return path.startsWith(base) && (path.length === base.length || path[base.length] === '.' || path[base.length] === '[');
}

function isFlawed(flaws: readonly Flaw[], part: keyof TracingPolicySpec): boolean {
  return flaws.some(({ owner, meant }) => owner[0] === part || (owner.length === 0 && meant.includes(part)));
}

/** Whether it depends on something of the hook that is not known. */
function isUnseen(hook: HookSight, path: string): boolean {
  const inHook = path.slice(hook.path.length);
  if (hook.sees === 'nothing') return VALUE.test(inHook) || (JUDGED_BLOCK.test(inHook) && !PLAIN_PARAMETER.test(inHook));
  const [, block, index] = JUDGED_BLOCK.exec(inHook) ?? [];
  switch (block) {
    case undefined:
      return inHook === '.returnArgAction' && hook.unseen.has('returnArg');
    case 'matchActions':
    case 'matchReturnActions':
      return /\.arg(?:Sock|Index)$/.test(inHook);
    default: {
      const selector = hook.selectors[Number(/^\.selectors\[(\d+)\]/.exec(inHook)?.[1])];
      const filter = [selector?.matchArgs, selector?.matchData, selector?.matchReturnArgs][BLOCKS.indexOf(block)]?.[Number(index)];
      return filter === undefined || !isAboutSeen(hook, block, filter);
    }
  }
}

const BLOCKS = ['matchArgs', 'matchData', 'matchReturnArgs'];

function isAboutSeen({ args, unseen }: HookSight, block: string, filter: ArgFilterSpec): boolean {
  if (block === 'matchData') return !unseen.has('data');
  if (block === 'matchReturnArgs' || filter.operator === 'CelExpr') return false;
  const { index = 0, args: positions = [] } = filter;
  const wanted = positions.length > 0 ? positions : [args.findIndex((arg) => arg.index === index)];
  return wanted.every((position) => args[position] !== undefined && !unseen.has(position));
}
