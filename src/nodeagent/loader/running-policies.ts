/** From a linked set and what the loader attached to what the agent reports. Pure. */
import type { LinkedHook, LinkedNode } from '../../linker/linked-node.ts';
import type { LinkPolicy } from '../../linker/link-input.ts';
import type { LoadReason } from '../../policy/reasons.ts';
import type { RunningHook, RunningPolicy } from '../state/running.ts';

/** How a hook is attached: what matters of the answers to HOOK and HELLO. */
export type AttachedHook = { readonly method: string; readonly pinned: boolean };

/** By uid. `plans` are those that were linked. Every hook of a plan is there, in the plan's order. */
export function runningPolicies(
  node: LinkedNode,
  plans: readonly LinkPolicy[],
  attached: ReadonlyMap<number, AttachedHook>,
): ReadonlyMap<string, RunningPolicy> {
  const byUid = new Map(plans.map((policy) => [policy.ref.uid, policy]));
  return new Map(
    node.policies.map((entry) => {
      const policy = byUid.get(entry.ref.uid);
      const linked = node.hooks.flatMap((hook) => runningHooks(hook, entry.ref.uid, policy, attached.get(hook.id)));
      const skipped = policy === undefined ? [] : skippedHooks(policy, entry.skippedHooks);
      const hooks = [...linked, ...skipped].toSorted((a, b) => a.position - b.position).map(({ running }) => running);
      const { uid, generation } = entry.ref;
      return [uid, { uid, generation, digest: entry.digest, mode: entry.mode, number: entry.number, hooks }];
    }),
  );
}

/** `position`: in `plan.hooks`. Paths do not tell hooks apart: all functions of a list have one. */
type PlacedHook = { readonly position: number; readonly running: RunningHook };

function runningHooks(
  hook: LinkedHook,
  uid: string,
  policy: LinkPolicy | undefined,
  attached: AttachedHook | undefined,
): readonly PlacedHook[] {
  return hook.members
    .filter((member) => member.uid === uid && !member.late)
    .map((member) => {
      const planHook = policy?.plan.hooks[member.hookIndex];
      const notes: LoadReason[] = [];
      if (member.substituted) notes.push('DegradedKillOnly');
      if (attached?.pinned === false) notes.push('NotPersistent');
      const running = {
        path: member.path,
        name: planHook === undefined ? hook.key : `${planHook.kind}:${planHook.target}`,
        method: attachMethodOf(attached?.method ?? hook.methods[0] ?? ''),
        notes,
      };
      return { position: member.hookIndex, running };
    });
}

/** Hooks that this kernel does not have and that their policy says may be missing. */
function skippedHooks({ plan }: LinkPolicy, positions: readonly number[]): readonly PlacedHook[] {
  return positions.flatMap((position) => {
    const hook = plan.hooks[position];
    if (hook === undefined) return [];
    return [{ position, running: { path: hook.path, name: `${hook.kind}:${hook.target}`, method: '', notes: ['HookIgnored' as const] } }];
  });
}

/** `lsm:file_open` → `lsm`; `raw_tp:sys_enter` → `raw_tp_sys_enter`, as `bind` names it. */
export function attachMethodOf(methodText: string): string {
  if (methodText === 'raw_tp:sys_enter') return 'raw_tp_sys_enter';
  const [kind] = methodText.split(':');
  return kind === 'raw_tp' ? 'raw_tracepoint' : (kind ?? '');
}
