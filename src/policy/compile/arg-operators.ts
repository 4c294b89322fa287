import { type ArgTypeClass, classOf } from '../arg-types.ts';
import type { PlanArgType } from '../plan.ts';
import { type ProblemSink, quote } from '../problem.ts';
import type { ArgOperatorName } from '../schema/selectors.ts';

const EQUALITY: readonly ArgOperatorName[] = ['Equal', 'NotEqual', 'In', 'NotIn'];

const INTEGERS: readonly ArgOperatorName[] = [
  ...EQUALITY,
  'GT',
  'GreaterThan',
  'LT',
  'LessThan',
  'InRange',
  'NotInRange',
  'InMap',
  'NotInMap',
  'Mask',
];

const TEXTS: readonly ArgOperatorName[] = [...EQUALITY, 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix', 'SubString', 'SubStringIgnCase'];

const ADDRESSED: readonly ArgOperatorName[] = ['SAddr', 'NotSAddr', 'SPort', 'NotSPort', 'SPortPriv', 'NotSportPriv', 'Family'];

const TWO_ENDS: readonly ArgOperatorName[] = [
  ...ADDRESSED,
  'DAddr',
  'NotDAddr',
  'DPort',
  'NotDPort',
  'DPortPriv',
  'NotDPortPriv',
  'Protocol',
];

const BY_CLASS: Readonly<Record<ArgTypeClass, readonly ArgOperatorName[]>> = {
  integer: INTEGERS,
  capabilities: [...EQUALITY, 'Mask', 'CapabilitiesGained'],
  text: TEXTS,
  socket: [...TWO_ENDS, 'State'],
  shown: [],
  auto: [...new Set([...INTEGERS, ...TEXTS])],
};

/** Types that are not like the others of their class. */
const BY_TYPE: ReadonlyMap<PlanArgType, readonly ArgOperatorName[]> = new Map<PlanArgType, readonly ArgOperatorName[]>([
  ['file', [...TEXTS, 'FileType', 'NotFileType']],
  ['path', [...TEXTS, 'FileType', 'NotFileType']],
  ['sockaddr_un', [...TEXTS, 'Family']],
  // A packet has no state, and an address one end.
  ['skb', TWO_ENDS],
  ['sockaddr', ADDRESSED],
]);

/** Operators that can hold for some values of the type and not for others. `CelExpr` is about no argument of its own. */
export function operatorsOf(type: PlanArgType): readonly ArgOperatorName[] {
  return BY_TYPE.get(type) ?? BY_CLASS[classOf(type)];
}

/** Upstream loads most of these, and they never match, or always. */
export function isOperatorUsable(sink: ProblemSink, path: string, operator: ArgOperatorName, type: PlanArgType, typeName: string): boolean {
  const usable = operatorsOf(type);
  if (usable.includes(operator)) {
    return true;
  }
  const hint = usable.length === 0 ? 'filters cannot compare values of this type: filter on another argument' : `use ${listed(usable)}`;
  sink.error('OperatorTypeMismatch', path, `${operator} never matches type ${quote(typeName)}`, hint);
  return false;
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}
