/** From a linked set and what the loader attached to what the agent reports. Pure. */
import type { LinkedHook, LinkedNode } from '../../linker/linked-node.ts';
import type { LinkPolicy } from '../../linker/link-input.ts';
import type { LoadReason } from '../../policy/reasons.ts';
import type { RunningHook, RunningPolicy } from '../state/running.ts';

/** How a hook is attached: what matters of the answers to HOOK and HELLO. */
export type AttachedHook = { readonly method: string; readonly pinned: boolean };

/** By uid. `plans` are those that were linked. */
export function runningPolicies(
  node: LinkedNode,
  plans: readonly LinkPolicy[],
  attached: ReadonlyMap<number, AttachedHook>,
): ReadonlyMap<string, RunningPolicy> {
  const byUid = new Map(plans.map((policy) => [policy.ref.uid, policy]));
  return new Map(
    node.policies.map((entry) => {
      const policy = byUid.get(entry.ref.uid);
      const hooks = node.hooks.flatMap((hook) => runningHooks(hook, entry.ref.uid, policy, attached.get(hook.id)));
      const { uid, generation } = entry.ref;
      return [uid, { uid, generation, digest: entry.digest, mode: entry.mode, number: entry.number, hooks }];
    }),
  );
}

function runningHooks(
  hook: LinkedHook,
  uid: string,
  policy: LinkPolicy | undefined,
  attached: AttachedHook | undefined,
): readonly RunningHook[] {
  return hook.members
    .filter((member) => member.uid === uid && !member.late)
    .map((member) => {
      const planHook = policy?.plan.hooks[member.hookIndex];
      const notes: LoadReason[] = [];
      if (member.substituted) notes.push('DegradedKillOnly');
      if (attached?.pinned === false) notes.push('NotPersistent');
      return {
        path: member.path,
        name: planHook === undefined ? hook.key : `${planHook.kind}:${planHook.target}`,
        method: attachMethodOf(attached?.method ?? hook.methods[0] ?? ''),
        notes,
      };
    });
}

/** `lsm:file_open` → `lsm`; `raw_tp:sys_enter` → `raw_tp_sys_enter`, as `bind` names it. */
export function attachMethodOf(methodText: string): string {
  if (methodText === 'raw_tp:sys_enter') return 'raw_tp_sys_enter';
  const [kind] = methodText.split(':');
  return kind === 'raw_tp' ? 'raw_tracepoint' : (kind ?? '');
}
