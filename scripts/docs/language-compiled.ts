/** What a row becomes in a plan. */
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import type { Plan } from '../../src/policy/plan.ts';
import { compileSample } from './language-facts.ts';
import { type LanguageRow, without } from './language-rows.ts';

const MAX_CHARS = 110;

/** For a value what stands in the plan for it; for a field the members of the plan that are others without it. */
export function compiledText(row: LanguageRow, spec: object, compiled: CompiledPolicy): string {
  const value = row.value === undefined ? undefined : valueText(row.field, compiled.plan);
  if (value !== undefined) {
    return `\`${value.length > MAX_CHARS ? `${value.slice(0, MAX_CHARS - 1)}…` : value}\``;
  }
  const other = compileSample(without(spec, row));
  if (!other.ok) return requiredText(row, spec, compiled.plan);
  const changed = changedMembers(compiled.plan, other.compiled.plan);
  if (changed.length > 0) return changed.map((member) => `\`${member}\``).join(', ');
  const isBeside =
    compiled.mode !== other.compiled.mode || JSON.stringify(compiled.nodeSelector) !== JSON.stringify(other.compiled.nodeSelector);
  return isBeside ? 'beside the plan' : 'as without it';
}

/** A field that cannot be left out: where its value stands in the plan. */
function requiredText(row: LanguageRow, spec: object, plan: Plan): string {
  const scalars = new Set(scalarsOf(fieldOf(spec, row.field)));
  const found = [...membersOf(plan)]
    .filter(([name, text]) => !name.endsWith('path') && name !== 'format' && scalars.has(text))
    .map(([name]) => `\`${name}\``);
  return found.length === 0 || found.length > MAX_MEMBERS ? 'required' : `required: ${found.join(', ')}`;
}

/** All values of a field by the last part of its name, however deep it stands. */
function fieldOf(value: unknown, field: string): readonly unknown[] {
  const name = field.slice(field.lastIndexOf('.') + 1);
  if (Array.isArray(value)) return value.flatMap((item: unknown) => fieldOf(item, field));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]): readonly unknown[] => (key === name ? [item] : fieldOf(item, field)));
}

/** As the plan writes them; 0 and false stand everywhere. */
function scalarsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => scalarsOf(item));
  return (typeof value === 'string' && value !== '') || (typeof value === 'number' && value !== 0) ? [JSON.stringify(value)] : [];
}

function valueText(field: string, plan: Plan): string | undefined {
  const [hook] = plan.hooks;
  const [selector] = hook?.selectors ?? [];
  switch (field.split('.').slice(-2).join('.')) {
    case 'args[].type':
      return hook?.args[0] === undefined ? undefined : `type: ${hook.args[0].type}`;
    case 'matchActions[].action':
      return JSON.stringify(selector?.actions.at(-1));
    case 'lists[].type':
      return JSON.stringify(hook?.generated ?? plan.hooks.map(({ target }) => target));
    case 'options[].name':
      return undefined;
    default:
      return JSON.stringify(selector?.workload ?? selector?.filters.at(-1));
  }
}

const MAX_MEMBERS = 3;

/** `hooks[].args[].label`: the shortest names of what only one of the plans has, or both and not the same. */
function changedMembers(plan: Plan, other: Plan): readonly string[] {
  const [ours, theirs] = [membersOf(plan), membersOf(other)];
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].filter((name) => ours.get(name) !== theirs.get(name));
  const outermost = names.filter(
    (name) => !names.some((shorter) => name !== shorter && name.startsWith(shorter) && /^[.[]/.test(name.slice(shorter.length))),
  );
  const innermost = outermost.map((name) => deepest(name, names));
  const shown = [...new Set(innermost)].filter((name) => name !== '');
  return shown.length > MAX_MEMBERS ? [...shown.slice(0, MAX_MEMBERS), '…'] : shown;
}

/** Where all that differs below a member lies in one member of it, that one says more. */
function deepest(name: string, names: readonly string[]): string {
  const below = names.filter((longer) => longer.startsWith(`${name}.`) || longer.startsWith(`${name}[`));
  const next = below.toSorted((a, b) => a.length - b.length)[0];
  return next !== undefined && below.every((longer) => longer.startsWith(next)) ? deepest(next, names) : name;
}

/** Every member with its value; positions of lists left out, so that lists of equal things compare as sets. */
function membersOf(plan: Plan): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    if (path !== '') members.set(path, `${members.get(path) ?? ''}${JSON.stringify(value)}`);
    if (Array.isArray(value)) for (const item of value) visit(item, `${path}[]`);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) visit(item, path === '' ? key : `${path}.${key}`);
    }
  };
  visit(plan, '');
  return members;
}
