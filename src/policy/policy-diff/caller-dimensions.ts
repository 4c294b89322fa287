import { CAPABILITIES } from '../capabilities.ts';
import type { LabelSelector, LinuxNamespace, Plan, PlanFilter, PlanHook, PlanScope } from '../plan.ts';
import type { NamespaceWords, PodWords } from '../policy-tests/test-schema.ts';
import { type Dimension, MAX_VALUES, distinct, interleaved, neighbours, rarestFirst } from './dimension.ts';
import type { Draft } from './draft.ts';

type FilterOf<On extends PlanFilter['on']> = Extract<PlanFilter, { readonly on: On }>;

function filtersOn<On extends PlanFilter['on']>(hooks: readonly PlanHook[], on: On): readonly FilterOf<On>[] {
  const isOn = (filter: PlanFilter): filter is FilterOf<On> => filter.on === on;
  return hooks.flatMap(({ selectors }) => selectors.flatMap(({ filters }) => filters.filter(isOn)));
}

/** What can be varied about the process that calls; only what one of the policies looks at. */
export function callerDimensions(plans: readonly Plan[], hooks: readonly PlanHook[]): readonly Dimension[] {
  return [
    workloadDimension(plans, hooks),
    ...binaryDimensions(hooks),
    ...pidDimensions(hooks),
    ...capabilityDimensions(hooks),
    ...namespaceDimensions(hooks),
  ].filter(({ choices }) => choices.length > 1);
}

function binaryDimensions(hooks: readonly PlanHook[]): readonly Dimension[] {
  const filters = filtersOn(hooks, 'binary');
  const values = rarestFirst(filters.map((filter) => filter.values)).slice(0, MAX_VALUES);
  const paths = distinct(
    values.flatMap(neighbours).map((text) => (text.startsWith('/') ? text : `/${text}`)),
    MAX_VALUES * 4,
  );
  const own = filters.some((filter) => filter.of !== 'parent');
  const inherited = filters.some((filter) => filter.of === 'parent' || filter.followChildren === true);
  const choose = (field: 'binary' | 'parent'): Dimension => ({
    name: field,
    choices: [undefined, ...paths, 'unknown'].map((path) => (draft: Draft): Draft => {
      const { [field]: _, ...others } = draft.process;
      return { ...draft, process: path === undefined ? others : { ...others, [field]: path } };
    }),
  });
  const former: Dimension = {
    name: 'ranBefore',
    choices: [undefined, ...values].map((path) => (draft: Draft): Draft => {
      const { ranBefore: _, ...others } = draft.process;
      return { ...draft, process: path === undefined ? others : { ...others, ranBefore: [path] } };
    }),
  };
  const ancestors: Dimension = {
    name: 'ancestors',
    choices: [undefined, ...values].map((path) => (draft: Draft): Draft => {
      const { ancestors: _, ...others } = draft.process;
      return { ...draft, process: path === undefined ? others : { ...others, ancestors: [path] } };
    }),
  };
  const follows = filters.some(({ followChildren }) => followChildren === true);
  const ofParent = filters.some(({ of, followChildren }) => of === 'parent' && followChildren === true);
  return [
    ...(own ? [choose('binary')] : []),
    ...(inherited ? [choose('parent')] : []),
    ...(follows ? [former] : []),
    ...(ofParent ? [ancestors] : []),
  ];
}

function pidDimensions(hooks: readonly PlanHook[]): readonly Dimension[] {
  const filters = filtersOn(hooks, 'pid');
  const choose = (field: 'pid' | 'nsPid', inNamespace: boolean): readonly Dimension[] => {
    const about = filters.filter((filter) => (filter.isNamespacePid === true) === inNamespace);
    if (about.length === 0) return [];
    const ids = rarestFirst(about.map(({ values }) => values))
      .slice(0, MAX_VALUES)
      .map(Number)
      .flatMap((id) => [id, id + 1])
      .filter((id) => id >= 1 && id <= 4_194_304);
    const choices = [undefined, ...ids].map((id) => (draft: Draft): Draft => {
      const { [field]: _, ...others } = draft.process;
      return { ...draft, process: id === undefined ? others : { ...others, [field]: id } };
    });
    const parents = about.some(({ followForks }) => followForks === true) ? ids : [];
    const ofParent = [undefined, ...parents].map((id) => (draft: Draft): Draft => {
      const { parent: _, ...others } = draft.process;
      return { ...draft, process: id === undefined ? others : { ...others, parent: { binary: '/bin/sh', [field]: id } } };
    });
    return [
      { name: field, choices },
      { name: `${field} of the parent`, choices: ofParent },
    ];
  };
  return [...choose('pid', false), ...choose('nsPid', true)];
}

function namesOf(mask: bigint): readonly string[] {
  return CAPABILITIES.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n);
}

/** None, each capability that somebody asks for, all of them, and another. */
function capabilityDimensions(hooks: readonly PlanHook[]): readonly Dimension[] {
  const now = filtersOn(hooks, 'capability');
  const changes = filtersOn(hooks, 'capabilityChange');
  const sets = ['effective', 'permitted', 'inheritable'] as const;
  const choices = (masks: readonly bigint[]): readonly (readonly string[])[] => {
    const asked = masks.reduce((all, mask) => all | mask, 0n);
    const each = namesOf(asked).map((name) => [name]);
    const other = CAPABILITIES.find((name) => !namesOf(asked).includes(name));
    return distinct([...each, ...masks.map(namesOf), namesOf(asked), ...(other === undefined ? [] : [[other]])], MAX_VALUES);
  };
  const ofSets = sets.flatMap((set): readonly Dimension[] => {
    const masks = [...now, ...changes].filter((filter) => filter.set === set).map(({ mask }) => BigInt(mask));
    if (masks.length === 0) return [];
    const without = (draft: Draft): Draft => {
      const { [set]: _, ...others } = draft.capabilities;
      return { ...draft, capabilities: others };
    };
    const withNames = choices(masks).map((names) => (draft: Draft): Draft => ({
      ...draft,
      capabilities: { ...draft.capabilities, [set]: names },
    }));
    // Gained since exec: two things at once, of which neither is a step towards a match without the other.
    const gained =
      changes.length === 0
        ? []
        : withNames.map((choose) => (draft: Draft): Draft => ({ ...choose(draft), execCapabilities: [] }));
    return [{ name: set, choices: [without, ...withNames, ...gained] }];
  });
  const before = choices(changes.map(({ mask }) => BigInt(mask))).map((names) => (draft: Draft): Draft => ({
    ...draft,
    execCapabilities: names,
  }));
  const same = (draft: Draft): Draft => {
    const { execCapabilities: _, ...others } = draft;
    return others;
  };
  const none = (draft: Draft): Draft => ({ ...draft, execCapabilities: [] });
  return [...ofSets, ...(changes.length === 0 ? [] : [{ name: 'capabilities at exec', choices: [same, none, ...before] }])];
}

/** Of nobody. */
const OTHER_NAMESPACE = 4_026_539_999;

function namespaceDimensions(hooks: readonly PlanHook[]): readonly Dimension[] {
  const filters = filtersOn(hooks, 'namespace');
  const changes = filtersOn(hooks, 'namespaceChange');
  // Capabilities may count only outside the user namespace of the host.
  const asksUser = [...filtersOn(hooks, 'capability'), ...filtersOn(hooks, 'capabilityChange')].some((one) => one.isNamespaceCapability);
  const kinds = new Set<LinuxNamespace>([...filters.map(({ namespace }) => namespace), ...(asksUser ? ['user' as const] : [])]);
  const now = [...kinds].map((kind): Dimension => {
    const values = filters.filter(({ namespace }) => namespace === kind).flatMap((filter) => filter.values);
    const numbers = values.filter((value) => value !== 'host_ns').map(Number);
    const words = distinct<string | number>(['host', 'own', ...numbers], MAX_VALUES);
    const without = (draft: Draft): Draft => {
      const { [kind]: _, ...others } = draft.namespaces;
      return { ...draft, namespaces: others };
    };
    return {
      name: kind,
      choices: [
        without,
        ...words.map((word) => (draft: Draft): Draft => ({ ...draft, namespaces: { ...draft.namespaces, [kind]: word } })),
      ],
    };
  });
  const changed = [...new Set(changes.flatMap(({ namespaces }) => namespaces))].map((kind): Dimension => {
    const same = (draft: Draft): Draft => {
      const { execNamespaces, ...others } = draft;
      const { [kind]: _, ...rest }: NamespaceWords = execNamespaces ?? {};
      return Object.keys(rest).length === 0 ? others : { ...others, execNamespaces: rest };
    };
    const other = (draft: Draft): Draft => ({ ...draft, execNamespaces: { ...draft.execNamespaces, [kind]: OTHER_NAMESPACE } });
    return { name: `${kind} at exec`, choices: [same, other] };
  });
  return [...now, ...changed];
}

/** Pods in and out of every scope and namespace that is named, the host, and containers of which little is known. */
function workloadDimension(plans: readonly Plan[], hooks: readonly PlanHook[]): Dimension {
  const scopes: readonly Omit<PlanScope, 'namespace'>[] = [
    ...plans.map(({ scope }) => scope),
    ...hooks.flatMap(({ selectors }) => selectors.flatMap(({ workload }) => workload ?? [])),
  ];
  const named = [
    ...plans.flatMap(({ scope }) => scope.namespace ?? []),
    ...rarestFirst(filtersOn(hooks, 'podNamespace').map(({ values }) => values)).slice(0, 8),
  ];
  const namespaces = distinct([undefined, ...named, 'default', 'other'], 12);
  const labels = distinct([undefined, ...labelsForAll(scopes.flatMap(({ podSelector }) => podSelector ?? []))], 12);
  const containers = distinct([undefined, ...labelsForAll(scopes.flatMap(({ containerSelector }) => containerSelector ?? []))], 8);
  const pods = namespaces.flatMap((namespace) =>
    labels.flatMap((wanted) =>
      containers.map((container): PodWords | undefined => {
        if (namespace === undefined && wanted === undefined && container === undefined) return undefined;
        if (namespace !== undefined && wanted === undefined && container === undefined) return namespace;
        const { name, repo } = container ?? {};
        return {
          ...(namespace === undefined ? {} : { namespace }),
          ...(wanted === undefined ? {} : { labels: wanted }),
          ...(container === undefined
            ? {}
            : { container: { ...(name === undefined ? {} : { name }), ...(repo === undefined ? {} : { image: repo }) } }),
        };
      }),
    ),
  );
  const pending = namespaces.map((namespace): PodWords => ({ state: 'pending', ...(namespace === undefined ? {} : { namespace }) }));
  const inPods = [...pods, ...pending, { state: 'unknown' as const }].map((pod) => (draft: Draft): Draft => ({
    ...draft,
    pod,
    host: false,
  }));
  const onHost = (draft: Draft): Draft => ({ ...draft, pod: undefined, host: true });
  const [plain, ...others] = inPods;
  return { name: 'workload', choices: [...(plain === undefined ? [] : [plain]), onHost, ...others] };
}

/** The first ones of every selector before the second ones of any. */
function labelsForAll(selectors: readonly LabelSelector[]): readonly Readonly<Record<string, string>>[] {
  const lists = selectors.flatMap(({ matchExpressions }) => matchExpressions.map(({ values }) => values));
  const rarest = rarestFirst(lists);
  return interleaved(selectors.map((selector) => labelsFor(selector, rarest)));
}

/** Labels that a selector matches, and the same with one of them changed or left out. */
function labelsFor(
  { matchLabels, matchExpressions }: LabelSelector,
  rarest: readonly string[],
): readonly Readonly<Record<string, string>>[] {
  const fitting: Record<string, string> = { ...matchLabels };
  for (const { key, operator, values } of matchExpressions) {
    if (operator === 'In') fitting[key] = values[0] ?? '';
    else if (operator === 'Exists') fitting[key] = 'x';
  }
  const all = [fitting];
  for (const { key, operator, values } of matchExpressions) {
    const own = new Set(values);
    for (const value of rarest.filter((each) => own.has(each)).slice(0, 8)) all.push({ ...fitting, [key]: value });
    if (operator === 'DoesNotExist') all.push({ ...fitting, [key]: 'x' });
  }
  for (const key of Object.keys(fitting)) {
    const { [key]: _, ...others } = fitting;
    all.push({ ...fitting, [key]: 'other' }, others);
  }
  return all;
}
