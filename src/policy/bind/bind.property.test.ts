import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import { FACTS, type KernelCatalogue, type KernelFacts } from '../kernel-facts.ts';
import { findReason } from '../reasons.ts';
import { RECORDED, readRecorded } from '../testing/recorded-kernels.ts';
import { planArbitrary } from './testing/plan-arbitraries.ts';

const change = fc.record({
  facts: fc.dictionary(fc.constantFrom(...Object.keys(FACTS)), fc.boolean(), { maxKeys: 8 }),
  lsm: fc.option(fc.subarray(['capability', 'bpf', 'apparmor']), { nil: undefined }),
  preempt: fc.constantFrom('none', 'voluntary', 'full', 'lazy', 'unknown', undefined),
  knows: fc.constantFrom('everything', 'names', 'nothing'),
  arch: fc.constantFrom('x86_64', 'aarch64', 'riscv64'),
});

/** Fewer names, so that searching through them takes no time here. */
function fewNames(recorded: KernelFacts): KernelCatalogue | null {
  const { catalogue } = recorded;
  if (catalogue === null) return null;
  const functions = new Set([...catalogue.functions].filter((name) => /^(?:security_|tcp_|vfs_|__x64_sys_[bo])/.test(name)));
  const { lsmHooks, tracepoints, unprobeable, errorInjectable, formatOf, types } = catalogue;
  const rest = { unprobeable, errorInjectable, formatOf, types };
  return { functions, lsmHooks, tracepoints, ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) };
}

const KERNELS = RECORDED.map((name) => ({ ...readRecorded(name), catalogue: fewNames(readRecorded(name)) }));

/** Recorded kernels, with facts changed, and with less known about them. */
const kernel: fc.Arbitrary<KernelFacts> = fc
  .tuple(fc.constantFrom(...KERNELS), change)
  .map(([base, { facts, lsm, preempt, knows, arch }]) => {
    const catalogue = base.catalogue;
    const names =
      catalogue === null ? null : { functions: catalogue.functions, lsmHooks: catalogue.lsmHooks, tracepoints: catalogue.tracepoints };
    return {
      ...base,
      arch,
      lsm: lsm ?? base.lsm,
      preempt: preempt ?? base.preempt,
      facts: { ...base.facts, ...facts },
      catalogue: knows === 'everything' ? catalogue : knows === 'names' ? names : null,
    };
  });

const mode = fc.constantFrom('enforce' as const, 'monitor' as const);
const numRuns = process.env['PALISADE_DEEP'] === '1' ? 200_000 : 1_000;
const timeoutMs = 600_000;

describe('Whatever the plan and the kernel are', () => {
  it(
    'every hook gets ways or one reason, by name and field, and never both',
    () => {
      fc.assert(
        fc.property(planArbitrary, kernel, mode, (plan, facts, policyMode) => {
          const bound = bind(plan, facts, policyMode);
          expect(bound.filter((entry) => entry.part === 'hook').map((entry) => entry.hook)).toEqual(plan.hooks.map((_, index) => index));
          for (const entry of bound) {
            const { failure, methods, effective, notes } = entry;
            const isSkipped = notes.some((note) => note.reason === 'HookIgnored');
            expect([methods.length > 0, failure !== null, isSkipped].filter(Boolean)).toHaveLength(1);
            expect(effective === 'none').toBe(methods.length === 0);
            for (const told of [...notes, ...(failure === null ? [] : [failure])]) {
              expect(findReason(told.reason)?.about).toBe('load');
              expect(told.field).toMatch(/^spec/);
              expect(told.message).not.toMatch(/undefined|\[object/);
            }
          }
        }),
        { numRuns },
      );
    },
    timeoutMs,
  );

  it(
    'nothing is denied by a way that the kernel may skip, nor killed where the policy does not allow that',
    () => {
      fc.assert(
        fc.property(planArbitrary, kernel, (plan, facts) => {
          for (const { methods } of bind(plan, facts, 'enforce')) {
            const ways = methods.map((method) => method.deny);
            if (facts.preempt !== 'none' && facts.preempt !== 'voluntary') expect(ways).not.toContain('fmod_ret');
            if (plan.options.substitute === 'none') expect(ways).not.toContain('kill');
            if (!facts.lsm.includes('bpf')) expect(methods.map((method) => method.method)).not.toContain('lsm');
          }
        }),
        { numRuns },
      );
    },
    timeoutMs,
  );

  it(
    'to know more never makes possible what was refused for its names, facts or the engine',
    () => {
      fc.assert(
        fc.property(planArbitrary, kernel, mode, (plan, facts, policyMode) => {
          const blind = bind(plan, { ...facts, catalogue: null }, policyMode);
          const seeing = bind(plan, facts, policyMode);
          for (const [index, entry] of blind.entries()) {
            const other = seeing[index];
            const isSkipped = other?.notes.some((note) => note.reason === 'HookIgnored');
            // A name that sounds like a security hook and is none is a function, which other ways lead to.
            if (entry.failure !== null && entry.point === other?.point) expect(other.failure !== null || isSkipped).toBe(true);
          }
        }),
        { numRuns },
      );
    },
    timeoutMs,
  );
});
