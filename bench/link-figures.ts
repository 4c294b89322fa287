import { diffNodes } from '../src/linker/diff.ts';
import { link } from '../src/linker/link.ts';
import type { LinkInput, LinkPolicy } from '../src/linker/link-input.ts';
import { WHOLE_ENGINE } from '../src/linker/link-target.ts';
import { testInput } from '../src/linker/testing/kernels.ts';
import { testPolicy } from '../src/linker/testing/policies.ts';
import { median } from './figures.ts';
import { printTable } from './table.ts';

const policyCount = 500;
const hookCount = 20;
const runs = 5;

/** What a node pays for 500 policies on 20 hooks: from nothing, and when one of them changes. */
export function benchLink(): void {
  const rows: (string | number)[][] = [
    ['500 policies on 20 hooks', 'engines', 'from nothing, ms', 'one policy changes, ms', 'ratio', 'hooks sent', 'nothing changes, ms'],
  ];
  rows.push(['each on one of them', ...figures(spreadPolicies())]);
  rows.push(['each on all of them', ...figures(broadPolicies())]);
  rows.push(['each on one, one has 60,000 values and another changes', ...figures([...spreadPolicies(), hugePolicy('elsewhere')])]);
  rows.push(['the same, on the hook with the 60,000', ...figures([...spreadPolicies(), hugePolicy('f0')])]);
  printTable(`Linking, native, median of ${runs}`, rows);
}

function figures(policies: readonly LinkPolicy[]): readonly (string | number)[] {
  const fromNothing: number[] = [];
  const oneChange: number[] = [];
  const noChange: number[] = [];
  let engines = 0;
  let sent = 0;
  for (let run = 0; run < runs; run += 1) {
    const input = testInput(policies, { target: WHOLE_ENGINE });
    const [node, firstMs] = timed(() => link(input));
    if (node.problems.length > 0) throw new Error(`${node.problems.length} policies were refused: ${node.problems[0]?.message ?? ''}`);
    const again: LinkInput = { ...input, allocation: node.allocation };
    const changed = policies.map((policy, i) => (i === 0 ? anotherVersion(policy, run) : policy));
    const [next, changeMs] = timed(() => link({ ...again, policies: changed }, node));
    noChange.push(timed(() => link(again, node))[1]);
    fromNothing.push(firstMs);
    oneChange.push(changeMs);
    engines = node.hooks.length;
    sent = diffNodes(node, next).filter(({ send }) => send !== 'SHARE').length;
  }
  const [first, change] = [median(fromNothing), median(oneChange)];
  return [engines, first, change, `1 : ${(first / change).toFixed(0)}`, sent, median(noChange)];
}

function timed<T>(work: () => T): readonly [T, number] {
  const fromMs = performance.now();
  const result = work();
  return [result, performance.now() - fromMs];
}

function hookText(name: string, prefix: string): string {
  return `- call: ${name}
  syscall: false
  args: [{index: 0, type: string}, {index: 1, type: int}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: [${prefix}a/, ${prefix}b/]}, {index: 1, operator: Equal, values: ["1", "2"]}]
    matchBinaries: [{operator: In, values: [/usr/bin/x${prefix.length}]}]
    matchActions: [{action: Post}]
`;
}

function spreadPolicies(): readonly LinkPolicy[] {
  return Array.from({ length: policyCount }, (_, i) => testPolicy(`p${i}`, `kprobes:\n${hookText(`f${i % hookCount}`, `/${i}/`)}`));
}

function broadPolicies(): readonly LinkPolicy[] {
  return Array.from({ length: policyCount }, (_, i) =>
    testPolicy(`p${i}`, `kprobes:\n${Array.from({ length: hookCount }, (_unused, hook) => hookText(`f${hook}`, `/${i}/`)).join('')}`),
  );
}

function hugePolicy(hook: string): LinkPolicy {
  const values = Array.from({ length: 60_000 }, (_, i) => `/deny/${i}/`).join(', ');
  return testPolicy(
    'huge',
    `kprobes:
- call: ${hook}
  syscall: false
  args: [{index: 0, type: string}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: [${values}]}]
    matchActions: [{action: Post}]`,
  );
}

function anotherVersion(policy: LinkPolicy, run: number): LinkPolicy {
  const hooks = policy.plan.hooks.map((hook) => ({
    ...hook,
    selectors: hook.selectors.map((selector) => ({ ...selector, actions: [{ type: 'nopost' as const }] })),
  }));
  return { ...policy, ref: { ...policy.ref, generation: 2 }, digest: `${policy.digest}/${run}`, plan: { ...policy.plan, hooks } };
}
