import { bind } from '../../policy/bind.ts';
import type { KernelFacts } from '../../policy/kernel-facts.ts';
import type { Plan, PolicyMode } from '../../policy/plan.ts';
import { type BoundPolicy, boundDigest } from '../../protocol/bound-digest.ts';
import { MAX_BUILDS } from '../../protocol/catalogue.ts';
import { HUB_LIMITS, type Report } from '../../protocol/hub-frames.ts';
import type { DesiredSet } from '../desired/desired-set.ts';
import type { FleetNode } from '../fleet/fleet.ts';

/**
 * What `bind` with an unknown catalogue says about a plan on a kernel: the method of each hook, which is what a report leaves unsaid
 * (control-plane 3.3). Remembered by plan, mode and kernel build.
 */
export type Predictor = {
  /** Undefined: the plan is not known (any more). */
  methods(digest: string, mode: PolicyMode, kernel: NonNullable<FleetNode['kernel']>): BoundPolicy['hooks'] | undefined;
  /** True where `report.bound` is what was predicted for the policies without a row, or nothing can be predicted. */
  isAsPredicted(report: Report, set: DesiredSet, kernel: NonNullable<FleetNode['kernel']>): boolean;
};

/** Room for as many policies as a node may have on as many kernels as are told apart; less would mean to bind anew with every report. */
const MAX_REMEMBERED = HUB_LIMITS.maxEntries * MAX_BUILDS;

export function createPredictor(planOf: (digest: string) => Plan | undefined): Predictor {
  const known = new Map<string, BoundPolicy['hooks']>();

  const methods: Predictor['methods'] = (digest, mode, kernel) => {
    const key = `${digest} ${mode} ${kernel.build}`;
    const remembered = known.get(key);
    if (remembered !== undefined) {
      return remembered;
    }
    const plan = planOf(digest);
    if (plan === undefined) {
      return undefined;
    }
    const hooks = bind(plan, kernelFactsOf(kernel), mode).map((hook) => ({ path: hook.path, method: hook.methods[0]?.method ?? '' }));
    if (known.size >= MAX_REMEMBERED) {
      known.clear();
    }
    known.set(key, hooks);
    return hooks;
  };

  return {
    methods,
    isAsPredicted: (report, set, kernel) => {
      const explained = new Set(report.exceptions.map((row) => row.uid));
      const policies: BoundPolicy[] = [];
      for (const entry of set.entries.values()) {
        if (explained.has(entry.uid)) {
          continue;
        }
        const hooks = entry.digest === null ? undefined : methods(entry.digest, entry.mode, kernel);
        if (hooks === undefined) {
          return true;
        }
        policies.push({ uid: entry.uid, hooks });
      }
      return boundDigest(policies) === report.bound;
    },
  };
}

function kernelFactsOf(kernel: NonNullable<FleetNode['kernel']>): KernelFacts {
  return {
    release: kernel.release,
    arch: kernel.arch,
    lsm: kernel.lsm,
    preempt: kernel.preempt,
    facts: kernel.facts,
    catalogue: null,
  };
}

/** `lsm`, `kprobe_multi+tracepoint`: the distinct methods of a policy, for people. */
export function methodText(hooks: BoundPolicy['hooks'] | undefined): string {
  return [...new Set((hooks ?? []).map((hook) => hook.method).filter((method) => method !== ''))].toSorted().join('+');
}
