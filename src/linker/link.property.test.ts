import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { severity } from '../policy/evaluate/evaluate.ts';
import { diffNodes } from './diff.ts';
import { link } from './link.ts';
import type { LinkInput } from './link-input.ts';
import { ENGINE_OF_TODAY } from './link-target.ts';
import { type CallConduct, compareNode, conductOf, openEngine, randomNode } from './testing/agreement.ts';
import { randomChange } from './testing/changes.ts';
import { testInput } from './testing/kernels.ts';
import { policySets } from './testing/policy-arbitraries.ts';
import { BINARIES, INTS, POD_NAMESPACES, TEXTS } from './testing/random-filters.ts';

const isDeep = process.env['PALISADE_DEEP'] === '1';
const wantedCases = isDeep ? 10_000_000 : 100_000;
const callsPerNode = 16;
const hourMs = 3_600_000;

/** A failure names its seed: `compareNode(SEED, …)` gives the same policies and calls again. */
describe('linked tables', () => {
  it(
    'give every call the verdicts of the reference evaluator of every policy alone, whatever policies share the hook',
    () => {
      const startMs = performance.now();
      let cases = 0;
      for (let seed = 1; cases < wantedCases; seed += 1) {
        const result = compareNode(seed, callsPerNode, 12);
        if ('mismatch' in result) expect.fail(result.mismatch);
        cases += result.cases;
      }
      const seconds = (performance.now() - startMs) / 1000;
      process.stdout.write(`evaluate(link(plans)) = union of evaluate(plan): ${cases} cases in ${seconds.toFixed(0)} s, 0 mismatches\n`);
    },
    isDeep ? 12 * hourMs : hourMs / 3,
  );

  it(
    'never weaken what is there when a policy is added, and leave out no policy for a newer one',
    () => {
      for (let seed = 1_000_000; seed < 1_000_000 + (isDeep ? 20_000 : 400); seed += 1) {
        const { input, random, newCall } = randomNode(seed, 10);
        const before = link(input);
        const kept = input.policies.filter((policy) => before.policies.some(({ ref }) => ref.uid === policy.ref.uid));
        const { policies, uid } = addOne(random, kept, seed);
        const after = link({ ...input, policies, allocation: before.allocation }, before);
        expect(after.problems.every((problem) => problem.uid === uid)).toBe(true);
        const [old, now] = [openEngine(before), openEngine(after)];
        for (let i = 0; i < callsPerNode; i += 1) {
          const call = newCall();
          const weaker = whatIsWeaker(conductOf(old, call), conductOf(now, call));
          if (weaker !== null) expect.fail(`seed ${seed}, call ${i}: ${weaker}`);
        }
      }
    },
    hourMs / 3,
  );

  it(
    'are the same whether hooks are taken over from the link before or made anew, change after change',
    () => {
      for (let seed = 2_000_000; seed < 2_000_000 + (isDeep ? 5_000 : 60); seed += 1) {
        const { input, random } = randomNode(seed, 8);
        let { policies } = input;
        let node = link(input);
        for (let step = 0; step < 12; step += 1) {
          ({ policies } = randomChange(random, policies, step));
          const next: LinkInput = { ...input, policies, allocation: node.allocation };
          const incremental = link(next, node);
          if (!isDeepStrictEqual(incremental, link(next))) expect.fail(`seed ${seed}, step ${step}: made anew it is another`);
          // What the diff calls unchanged is unchanged, and what was taken over is the same object.
          for (const { hook, send } of diffNodes(node, incremental)) {
            const old = node.hooks.find((entry) => entry.id === hook.id);
            expect(send === 'SHARE').toBe(
              old !== undefined && old.configDigest === hook.configDigest && old.dataDigest === hook.dataDigest,
            );
          }
          node = incremental;
        }
      }
    },
    hourMs / 3,
  );

  it('of what the engine of this version runs are in the maps that it has', () => {
    const policies = policySets({
      args: fc.constant([
        { index: 0, type: 'file', label: '' },
        { index: 1, type: 'string', label: '' },
        { index: 2, type: 'int32', label: '' },
      ]),
      texts: TEXTS.filter((text) => Buffer.byteLength(text) <= 255),
      ints: INTS,
      binaries: BINARIES.filter((path) => path.length <= 255),
      podNamespaces: POD_NAMESPACES,
      always: [],
      maxPolicies: 8,
    });
    fc.assert(
      fc.property(policies, (candidates) => {
        const node = link(testInput(candidates, { target: ENGINE_OF_TODAY }));
        expect(node.problems.filter(({ reason }) => reason !== 'TooManyPlanes' && reason !== 'HookSelectorBudget')).toEqual([]);
        for (const hook of node.hooks) expect(Object.values(hook.further).every((rows) => rows.length === 0)).toBe(true);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});

function addOne(
  random: Parameters<typeof randomChange>[0],
  policies: LinkInput['policies'],
  seed: number,
): ReturnType<typeof randomChange> {
  for (let step = seed; ; step += 1) {
    const change = randomChange(random, policies, step);
    if (change.what === 'add') return change;
  }
}

/** Null: everything that happened still happens. */
function whatIsWeaker(before: CallConduct, after: CallConduct): string | null {
  if (before.errno !== null && (after.errno === null || severity(after.errno) > severity(before.errno))) {
    return `the call returned ${before.errno}, and now ${after.errno}`;
  }
  if (before.kill && !after.kill) return 'the process was killed, and is not any more';
  if (before.signal !== null && !after.kill && (after.signal === null || after.signal > before.signal)) {
    return `signal ${before.signal} was sent, and now ${after.signal}`;
  }
  const isDeniedNow = before.errno === null && after.errno !== null;
  const texts = new Set(after.policies.map(withoutSlots));
  // A call that is denied now does not return.
  const gone = before.policies.find((conduct) => !(isDeniedNow && conduct.at === 'return') && !texts.has(withoutSlots(conduct)));
  return gone === undefined ? null : `not done any more: ${withoutSlots(gone)}`;
}

/** Slots are numbered anew when a policy reads more. */
function withoutSlots(conduct: CallConduct['policies'][number]): string {
  return JSON.stringify({ ...conduct, acts: conduct.acts.map(({ type, a, b }) => [type, a, b]) });
}
