import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readSlot, type SlotFields } from '../abi/hook-config.ts';
import { CFG_LAYOUT, PAL_SF_SIGNED, PAL_T_INT } from '../abi/layout.ts';
import { evaluate, evaluateReturn } from '../policy/evaluate/evaluate.ts';
import type { ArgValue, HookCall } from '../policy/evaluate/event.ts';
import type { PlanHook } from '../policy/plan.ts';
import { specArbitrary } from '../policy/testing/arbitraries.ts';
import { callOf } from '../policy/testing/call-arbitraries.ts';
import { compiled, policyObject } from '../policy/testing/policies.ts';
import { link } from './link.ts';
import type { LinkPolicy } from './link-input.ts';
import type { HookMember, LinkedHook } from './linked-node.ts';
import { type Conduct, type Engine, ofMatch, ofVerdict, openEngine } from './testing/agreement.ts';
import { anyKernelInput } from './testing/any-kernel.ts';
import type { ModelValue } from './testing/model-lookup.ts';
import { LINUX_NAMESPACES } from './testing/policy-arbitraries.ts';
import { byNamespace, taskOf } from './testing/random-calls.ts';

const isDeep = process.env['PALISADE_DEEP'] === '1';
const callsPerHook = 6;
const HOST = byNamespace(() => 7);

type Case = { readonly policy: LinkPolicy; readonly calls: readonly (readonly HookCall[])[] };

const cases: fc.Arbitrary<Case> = specArbitrary.chain((spec) => {
  const { plan, digest, mode } = compiled(policyObject(spec));
  const ref = { kind: 'TracingPolicy', namespace: null, name: 'test', uid: 'u-1', generation: 1 } as const;
  return fc.record({
    policy: fc.constant({ ref, digest, plan, mode }),
    calls: fc.tuple(...plan.hooks.map((hook) => fc.array(callOf(hook), { minLength: callsPerHook, maxLength: callsPerHook }))),
  });
});

it(
  'whatever compiles links for the whole engine, and does there what the reference evaluator says, in any section',
  () => {
    fc.assert(
      fc.property(cases, ({ policy, calls }) => {
        const hostNamespaces = LINUX_NAMESPACES.map((name) => HOST[name]);
        const node = link({ ...anyKernelInput([policy]), hostNamespaces });
        // What `auto` is, the kernel says; a filter that was written for something else is refused.
        const isAuto = policy.plan.hooks.some((hook) => hook.args.some((arg) => arg.type === 'auto'));
        if (isAuto && node.problems.every(({ reason }) => reason === 'BtfTypeMismatch') && node.problems.length > 0) return;
        expect(node.problems).toEqual([]);
        const engine = openEngine(node);
        for (const [hookIndex] of policy.plan.hooks.entries()) {
          for (const call of calls[hookIndex] ?? []) compare(policy, hookIndex, engine, call);
        }
      }),
      { numRuns: isDeep ? 50_000 : 500 },
    );
  },
  isDeep ? 3_600_000 : 180_000,
);

function compare(policy: LinkPolicy, hookIndex: number, engine: Engine, drawn: HookCall): void {
  const hook = policy.plan.hooks[hookIndex];
  const lane = engine.lanes.find((entry) => entry.hook.members.some((member) => member.hookIndex === hookIndex));
  const member = lane?.hook.members.find((entry) => entry.hookIndex === hookIndex);
  if (hook === undefined || lane === undefined || member === undefined) throw new Error(`hook ${hookIndex} is not linked`);
  const call = asEngineSees(drawn, hook, lane.hook, member);
  const valueOf = valuesOf(lane.hook, member, call);
  const ofThis = (conduct: Conduct): boolean => conduct.hookIndex === hookIndex;

  const entry = evaluate(policy.plan, hook, policy.mode, call);
  const common = { uid: policy.ref.uid, hookIndex };
  const ran = lane.entry.run(taskOf(call.process, lane.hook.scope), valueOf);
  const entries = ran.matches.map((match) => ofMatch(engine.node, lane.hook, match, 'entry')).filter(ofThis);
  expect(entries).toEqual(entry.selector === null ? [] : [ofVerdict({ ...common, at: 'entry' }, entry, hook, member.argSlots)]);
  if (lane.atReturn === null || entry.errno !== null) return;

  const after = evaluateReturn(policy.plan, hook, policy.mode, call, entry);
  const returned = lane.atReturn.run(taskOf(call.process, lane.hook.scope), valueOf, ran.frame);
  const returns = returned.matches.map((match) => ofMatch(engine.node, lane.hook, match, 'return')).filter(ofThis);
  expect(returns).toEqual(after.selector === null ? [] : [ofVerdict({ ...common, at: 'return' }, after, hook, member.argSlots)]);
}

/** Arguments that are one slot have one value, of a pending pod nothing is known, and a node has one host. */
const UNKNOWN: ArgValue = { kind: 'unknown' };

function asEngineSees(call: HookCall, plan: PlanHook, hook: LinkedHook, member: HookMember): HookCall {
  const args = call.args.map((value, arg) => {
    const slot = member.argSlots[arg] ?? null;
    // Texts that lie in the record itself, and what the kernel calls a text: a pointer that is null is not told from one that is unreadable.
    const isNull = value.kind === 'null' && (plan.args[arg]?.type === 'data_loc' || plan.args[arg]?.type === 'auto');
    if (isNull) return UNKNOWN;
    return slot === null ? value : asSlotHolds(call.args[member.argSlots.indexOf(slot)] ?? value, readSlot(hook.config, slot));
  });
  const { workload } = call.process;
  const seen = workload.kind === 'pending' ? { ...workload, namespace: null } : workload;
  return { ...call, args, process: { ...call.process, hostNamespaces: HOST, workload: seen } };
}

/** The kernel of the test says what `auto` is. */
function asSlotHolds(value: ArgValue, { type, width, flags }: SlotFields): ArgValue {
  if (value.kind !== 'int' || type !== PAL_T_INT) return value;
  const isSigned = (flags & PAL_SF_SIGNED) !== 0;
  return { ...value, value: isSigned ? BigInt.asIntN(8 * width, value.value) : BigInt.asUintN(8 * width, value.value) };
}

/** Arguments of other hooks on the same point are not known. */
function valuesOf(hook: LinkedHook, member: HookMember, call: HookCall): (slot: SlotFields) => ModelValue {
  const count = hook.config.readUInt32LE(CFG_LAYOUT.at.nslots);
  const values = new Map<string, ModelValue>();
  for (let slot = 0; slot < count; slot += 1) {
    const value = call.args[member.argSlots.indexOf(slot)];
    if (value !== undefined) values.set(JSON.stringify(readSlot(hook.config, slot)), asModelValue(value));
  }
  return (slot) => values.get(JSON.stringify(slot)) ?? { kind: 'unknown' };
}

function asModelValue(value: ArgValue): ModelValue {
  return value.kind === 'int' ? { kind: 'int', raw: BigInt.asUintN(64, value.value) } : value;
}
