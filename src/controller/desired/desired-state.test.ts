import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LabelSelector } from '../../policy/plan.ts';
import type { Entry } from '../../protocol/hub-frames.ts';
import { setDigest } from '../../protocol/set-digest.ts';
import type { Assignment } from './assignment.ts';
import { desiredFrame, EMPTY_SET } from './desired-set.ts';
import { createDesiredState, type DesiredState } from './desired-state.ts';
import { createSetBook } from './set-book.ts';

function entry(uid: string, generation = 1): Entry {
  return { uid, kind: 'TracingPolicy', namespace: null, name: uid, generation, digest: 'ab'.repeat(32), mode: 'enforce' };
}

function fitting(one: Entry, nodeSelector: LabelSelector | null = null, createdMs = 0): Assignment {
  return { entry: one, nodeSelector, createdMs, planChars: 1 };
}

const pool = (value: string): LabelSelector => ({ matchLabels: { pool: value }, matchExpressions: [] });

describe('which node should run what', () => {
  test('a node gets what fits its labels, and another set when its labels change', () => {
    const changed: string[] = [];
    const state = createDesiredState(createSetBook(), (node) => changed.push(node));
    state.putNode('a', { pool: 'x' });
    state.assign('everywhere', fitting(entry('everywhere')));
    state.assign('y-only', fitting(entry('y-only'), pool('y')));
    expect([...state.setOf('a').entries.keys()]).toEqual(['everywhere']);
    state.putNode('a', { pool: 'y' });
    expect(state.setOf('a').entries.has('y-only')).toBe(true);
    expect(changed).toEqual(['a', 'a']);
  });

  test('a node whose object is gone keeps what it should run', () => {
    const state = createDesiredState(createSetBook(), () => {});
    state.assign('p', fitting(entry('p'), pool('x')));
    state.putNode('a', { pool: 'x' });
    state.keepNode('a');
    expect(state.setOf('a').entries.has('p')).toBe(true);
    state.keepNode('never-seen');
    expect(state.setOf('never-seen').entries.size).toBe(0);
  });

  test('what changes nothing for a node is not told', () => {
    const changed: string[] = [];
    const state = createDesiredState(createSetBook(), (node) => changed.push(node));
    state.assign('p', fitting(entry('p'), pool('x')));
    state.putNode('a', { pool: 'y' });
    state.assign('p', fitting(entry('p', 2), pool('x')));
    state.assign('p', null);
    expect(changed).toEqual([]);
  });

  test('nodes with equal sets are one cohort and share one object', () => {
    const state = createDesiredState(createSetBook(), () => {});
    for (const node of ['a', 'b', 'c']) {
      state.putNode(node, { pool: node === 'c' ? 'y' : 'x' });
    }
    state.assign('p', fitting(entry('p'), pool('x')));
    expect(state.setOf('a')).toBe(state.setOf('b'));
    expect(state.cohorts()).toBe(2);
  });

  test('after a teardown every set is empty for good, also for nodes and policies that come later', () => {
    const state = createDesiredState(createSetBook(), () => {});
    state.putNode('a', {});
    state.assign('p', fitting(entry('p'), null));
    state.clearForGood();
    state.assign('q', fitting(entry('q'), null));
    state.putNode('b', {});
    expect(state.setOf('a')).toBe(EMPTY_SET);
    expect(state.setOf('b')).toBe(EMPTY_SET);
  });

  describe('a node has room for two policies', () => {
    const crowded = () => {
      const changed: string[] = [];
      const book = createSetBook();
      const state = createDesiredState(book, (node) => changed.push(node), { maxEntries: 2, maxPlanChars: 1_000 });
      state.putNode('a', {});
      return { state, changed };
    };
    const uidsOf = (state: DesiredState, node = 'a'): string[] => [...state.setOf(node).entries.keys()].toSorted();
    const ofNamespace = (uid: string): Entry => ({ ...entry(uid), kind: 'TracingPolicyNamespaced', namespace: 'n' });

    test('a third one is withheld, and the node is not even told', () => {
      const { state, changed } = crowded();
      state.assign('p', fitting(entry('p'), null, 1));
      state.assign('q', fitting(entry('q'), null, 2));
      changed.length = 0;
      state.assign('a-newer-one', fitting(entry('a-newer-one'), null, 3));
      expect(uidsOf(state)).toEqual(['p', 'q']);
      expect(changed).toEqual([]);
      expect(state.isWithheld('a', 'a-newer-one')).toBe(true);
      expect(state.isWithheld('a', 'p')).toBe(false);
      expect(state.withheld()).toBe(1);
    });

    test('it gets its place as soon as another one goes, or fits the node no more', () => {
      const { state } = crowded();
      for (const [index, uid] of ['p', 'q', 'r', 's'].entries()) {
        state.assign(uid, fitting(entry(uid), null, index));
      }
      state.assign('p', null);
      expect(uidsOf(state)).toEqual(['q', 'r']);
      state.assign('q', fitting(entry('q'), pool('elsewhere'), 1));
      expect(uidsOf(state)).toEqual(['r', 's']);
      expect(state.withheld()).toBe(0);
    });

    test('owners of namespaces cannot push out a policy of the platform, however early they came', () => {
      const { state } = crowded();
      state.assign('n1', fitting(ofNamespace('n1'), null, 1));
      state.assign('n2', fitting(ofNamespace('n2'), null, 2));
      state.assign('platform', fitting(entry('platform'), null, 3));
      expect(uidsOf(state)).toEqual(['n1', 'platform']);
      expect(state.isWithheld('a', 'n2')).toBe(true);
    });

    test('an edit of one that runs keeps its place, and an edit of one that is withheld wins none', () => {
      const { state } = crowded();
      for (const [index, uid] of ['p', 'q', 'r'].entries()) {
        state.assign(uid, fitting(entry(uid), null, index));
      }
      state.assign('q', fitting(entry('q', 2), null, 1));
      state.assign('r', fitting(entry('r', 2), null, 2));
      expect(uidsOf(state)).toEqual(['p', 'q']);
      expect(state.setOf('a').entries.get('q')?.generation).toBe(2);
    });

    test('whatever the order of events, nodes that fit the same have the same, and never more than there is room for', () => {
      const policy = fc.record({
        uid: fc.constantFrom('p', 'q', 'r', 's', 't'),
        isGone: fc.boolean(),
        pool: fc.constantFrom('x', 'y', null),
      });
      fc.assert(
        fc.property(fc.array(policy, { maxLength: 30 }), (steps) => {
          const { state } = crowded();
          state.putNode('a', { pool: 'x' });
          const last = new Map<string, Assignment>();
          for (const [index, step] of steps.entries()) {
            const createdMs = last.get(step.uid)?.createdMs ?? index;
            const one = fitting(entry(step.uid, index), step.pool === null ? null : pool(step.pool), createdMs);
            state.assign(step.uid, step.isGone ? null : one);
            if (step.isGone) {
              last.delete(step.uid);
            } else {
              last.set(step.uid, one);
            }
          }
          state.putNode('late', { pool: 'x' });
          expect(state.setOf('a')).toBe(state.setOf('late'));
          const wanted = [...last.values()].filter((one) => one.nodeSelector === null || one.nodeSelector.matchLabels['pool'] === 'x');
          const oldest = wanted.toSorted((a, b) => a.createdMs - b.createdMs).map((one) => one.entry.uid);
          expect(uidsOf(state)).toEqual(oldest.slice(0, 2).toSorted());
          for (const uid of ['p', 'q', 'r', 's', 't']) {
            expect(state.isWithheld('a', uid)).toBe(oldest.indexOf(uid) >= 2);
          }
        }),
      );
    });
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
            const assignment = fitting(entry(one.uid, one.generation), one.label === null ? null : pool(one.label));
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
      state.assign('p', fitting(entry('p', generation), null));
    }
    expect(book.size).toBeLessThanOrEqual(1_024);
    expect(book.find(first)).toBeUndefined();
    expect(book.find(state.setOf('a').digest)).toBe(state.setOf('a'));
  });
});
