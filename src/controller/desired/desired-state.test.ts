import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LabelSelector } from '../../policy/plan.ts';
import type { Entry } from '../../protocol/hub-frames.ts';
import { setDigest } from '../../protocol/set-digest.ts';
import { desiredFrame, EMPTY_SET } from './desired-set.ts';
import { createDesiredState } from './desired-state.ts';
import { createSetBook } from './set-book.ts';

function entry(uid: string, generation = 1): Entry {
  return { uid, kind: 'TracingPolicy', namespace: null, name: uid, generation, digest: 'ab'.repeat(32), mode: 'enforce' };
}

const pool = (value: string): LabelSelector => ({ matchLabels: { pool: value }, matchExpressions: [] });

describe('which node should run what', () => {
  test('a node gets what fits its labels, and another set when its labels change', () => {
    const changed: string[] = [];
    const state = createDesiredState(createSetBook(), (node) => changed.push(node));
    state.putNode('a', { pool: 'x' });
    state.assign('everywhere', { entry: entry('everywhere'), nodeSelector: null });
    state.assign('y-only', { entry: entry('y-only'), nodeSelector: pool('y') });
    expect([...state.setOf('a').entries.keys()]).toEqual(['everywhere']);
    state.putNode('a', { pool: 'y' });
    expect(state.setOf('a').entries.has('y-only')).toBe(true);
    expect(changed).toEqual(['a', 'a']);
  });

  test('a node whose object is gone keeps what it should run', () => {
    const state = createDesiredState(createSetBook(), () => {});
    state.assign('p', { entry: entry('p'), nodeSelector: pool('x') });
    state.putNode('a', { pool: 'x' });
    state.keepNode('a');
    expect(state.setOf('a').entries.has('p')).toBe(true);
    state.keepNode('never-seen');
    expect(state.setOf('never-seen').entries.size).toBe(0);
  });

  test('what changes nothing for a node is not told', () => {
    const changed: string[] = [];
    const state = createDesiredState(createSetBook(), (node) => changed.push(node));
    state.assign('p', { entry: entry('p'), nodeSelector: pool('x') });
    state.putNode('a', { pool: 'y' });
    state.assign('p', { entry: entry('p', 2), nodeSelector: pool('x') });
    state.assign('p', null);
    expect(changed).toEqual([]);
  });

  test('nodes with equal sets are one cohort and share one object', () => {
    const state = createDesiredState(createSetBook(), () => {});
    for (const node of ['a', 'b', 'c']) {
      state.putNode(node, { pool: node === 'c' ? 'y' : 'x' });
    }
    state.assign('p', { entry: entry('p'), nodeSelector: pool('x') });
    expect(state.setOf('a')).toBe(state.setOf('b'));
    expect(state.cohorts()).toBe(2);
  });

  test('after a teardown every set is empty for good, also for nodes and policies that come later', () => {
    const state = createDesiredState(createSetBook(), () => {});
    state.putNode('a', {});
    state.assign('p', { entry: entry('p'), nodeSelector: null });
    state.clearForGood();
    state.assign('q', { entry: entry('q'), nodeSelector: null });
    state.putNode('b', {});
    expect(state.setOf('a')).toBe(EMPTY_SET);
    expect(state.setOf('b')).toBe(EMPTY_SET);
  });

  type Step =
    | { readonly node: string; readonly label: string }
    | { readonly uid: string; readonly generation: number; readonly label: string | null };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ node: fc.constantFrom('a', 'b'), label: fc.constantFrom('x', 'y') }),
    fc.record({ uid: fc.constantFrom('p', 'q', 'r'), generation: fc.nat(3), label: fc.constantFrom('x', 'y', null) }),
  );

  test('differences lead from any set to any later one, whatever happened between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const state = createDesiredState(createSetBook(), () => {});
        let held = EMPTY_SET;
        for (const one of steps) {
          if ('node' in one) {
            state.putNode(one.node, { pool: one.label });
          } else {
            const assignment = { entry: entry(one.uid, one.generation), nodeSelector: one.label === null ? null : pool(one.label) };
            state.assign(one.uid, one.generation === 0 ? null : assignment);
          }
          const set = state.setOf('a');
          const frame = desiredFrame(0, held, set);
          const entries = new Map(held.entries);
          for (const uid of frame.remove) {
            entries.delete(uid);
          }
          for (const added of frame.upsert) {
            entries.set(added.uid, added);
          }
          expect(setDigest(entries.values())).toBe(set.digest);
          held = set;
        }
      }),
    );
  });

  test('the book forgets old sets, but never those that nodes should have', () => {
    const book = createSetBook();
    const state = createDesiredState(book, () => {});
    state.putNode('a', {});
    const first = state.setOf('a').digest;
    for (let generation = 1; generation < 3_000; generation += 1) {
      state.assign('p', { entry: entry('p', generation), nodeSelector: null });
    }
    expect(book.size).toBeLessThanOrEqual(1_024);
    expect(book.find(first)).toBeUndefined();
    expect(book.find(state.setOf('a').digest)).toBe(state.setOf('a'));
  });
});
