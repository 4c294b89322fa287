import { describe, expect, it } from 'vitest';
import { link } from './link.ts';
import type { LinkInput, LinkPolicy } from './link-input.ts';
import { WHOLE_ENGINE } from './link-target.ts';
import type { LinkedHook, LinkedNode } from './linked-node.ts';
import { testInput } from './testing/kernels.ts';
import { testPolicy } from './testing/policies.ts';

function wide(name: string, selectors: number, namespace?: string): LinkPolicy {
  const list = Array.from({ length: selectors }, (_, i) => `  - matchArgs: [{index: 0, operator: Prefix, values: [/${name}/${i}/]}]`).join(
    '\n',
  );
  const spec = `lsmhooks:\n- hook: file_open\n  args: [{index: 0, type: file}]\n  selectors:\n${list}`;
  return testPolicy(name, spec, namespace === undefined ? {} : { namespace });
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `p${String(i).padStart(2, '0')}`);
}

function inLanes(policies: readonly LinkPolicy[], before: LinkedNode | null = null): LinkedNode {
  const allocation: Partial<LinkInput> = before === null ? {} : { allocation: before.allocation };
  return link(testInput(policies, { target: WHOLE_ENGINE, ...allocation }), before);
}

function laneOf(node: LinkedNode, uid: string): number | undefined {
  return node.hooks.find((hook) => hook.members.some((member) => member.uid === uid))?.lane;
}

function lanes(node: LinkedNode): readonly LinkedHook[] {
  return node.hooks.toSorted((a, b) => a.lane - b.lane);
}

describe('an attach point with more policies than one engine holds', { timeout: 60_000 }, () => {
  it('gets further engines, which are hooks of their own on the same point', () => {
    const node = inLanes(names(6).map((name) => wide(name, 64)));
    expect(node.problems).toEqual([]);
    expect(lanes(node).map(({ key, lane, members }) => [key, lane, members.length])).toEqual([
      ['lsm:file_open', 0, 4],
      ['lsm:file_open#2', 1, 2],
    ]);
    expect(new Set(node.hooks.map((hook) => hook.methods.join())).size).toBe(1);
    expect(new Set(node.hooks.map((hook) => hook.id)).size).toBe(2);
    expect(new Set(node.hooks.map((hook) => hook.name)).size).toBe(2);
  });

  it('leaves a policy where it is, also when there is room elsewhere', () => {
    const all = names(6).map((name) => wide(name, 64));
    const first = inLanes(all);
    const late = all.filter((policy) => laneOf(first, policy.ref.uid) === 1);
    const early = all.filter((policy) => !late.includes(policy)).slice(0, 1);
    const second = inLanes([...early, ...late], first);
    expect(late.map((policy) => laneOf(second, policy.ref.uid))).toEqual([1, 1]);
    const third = inLanes([...early, ...late, wide('new', 64)], second);
    expect(laneOf(third, 'new')).toBe(0);
    expect(late.map((policy) => laneOf(third, policy.ref.uid))).toEqual([1, 1]);
  });

  it('refuses the newest when four engines are full, and nobody else', () => {
    const sixteen = names(16).map((name) => wide(name, 64));
    const full = inLanes(sixteen);
    expect(full.problems).toEqual([]);
    expect(lanes(full).map(({ lane }) => lane)).toEqual([0, 1, 2, 3]);
    const more = inLanes([wide('aa', 1), ...sixteen], full);
    expect(more.problems).toMatchObject([{ uid: 'aa', reason: 'HookSelectorBudget', path: 'spec.lsmhooks[0]' }]);
    expect(more.policies).toHaveLength(16);
  });

  it('keeps a quarter of each engine for policies of the cluster', () => {
    const node = inLanes([...names(4).map((name) => wide(name, 64, 'team')), wide('cluster', 64)]);
    expect(node.problems).toEqual([]);
    expect(lanes(node).map(({ members }) => members.length)).toEqual([4, 1]);
    expect(laneOf(node, 'cluster')).toBe(0);
  });

  it('moves a new policy on when lookups, not selectors, are what does not fit', () => {
    const many = names(10).map((name, i) => {
      // Eight different lookups each, none of them shared.
      const filters = Array.from({ length: 8 }, (_, turn) => `{index: 0, operator: Mask, values: ["${2 ** (3 * i + turn)}"]}`);
      return testPolicy(
        name,
        `kprobes: [{call: f, syscall: false, args: [{index: 0, type: uint64}], selectors: [{matchArgs: [${filters.join(', ')}]}]}]`,
      );
    });
    const expressions = names(10).map((name, i) =>
      testPolicy(
        `cel-${name}`,
        `kprobes: [{call: g, syscall: false, args: [{index: 0, type: int}], selectors: [{matchArgs: [{index: 0, operator: CelExpr, values: ["arg0 == int32(${i})"]}]}]}]`,
      ),
    );
    const node = inLanes([...many, ...expressions]);
    expect(node.problems).toEqual([]);
    expect(lanes(node).map(({ key, members }) => [key, members.length])).toEqual([
      ['kprobe:f', 10],
      ['kprobe:g', 8],
      ['kprobe:g#2', 2],
    ]);
    expect(inLanes([...many, ...expressions], node).hooks.map((hook) => hook.key)).toEqual(node.hooks.map((hook) => hook.key));
  });

  it('is refused for the engine of this version, which has one', () => {
    const node = link(testInput(names(5).map((name) => wide(name, 64))));
    expect(node.problems).toMatchObject([{ reason: 'HookSelectorBudget' }]);
    expect(node.hooks).toHaveLength(1);
  });
});
