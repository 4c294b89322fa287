import type { PodItem } from '../fleet/pod-projection.ts';
import type { Caller } from './access-review.ts';
import { HubRefusal } from './hub-error.ts';

/** An agent that the API server vouches for: this pod, on this node. */
export type AgentIdentity = { readonly node: string; readonly podName: string; readonly podUid: string };

/** Names of the ServiceAccounts (DESIGN §13). */
export const AGENT_ACCOUNT = 'palisade-agent';
export const WEBHOOK_ACCOUNT = 'palisade-webhook';

export function accountName(namespace: string, account: string): string {
  return `system:serviceaccount:${namespace}:${account}`;
}

/**
 * The agent behind a reviewed token. A token that is not bound to a pod on a node is refused, although it is authentic: whoever may create
 * tokens for the ServiceAccount could speak for any node with it. `findPod` looks into the pod cache, which must agree.
 */
export function agentIdentityOf(caller: Caller, namespace: string, findPod: (name: string) => PodItem | undefined): AgentIdentity {
  const expected = accountName(namespace, AGENT_ACCOUNT);
  if (caller.username !== expected) {
    throw new HubRefusal('WrongAccount', `${caller.username.slice(0, 200)} is not ${expected}`);
  }
  const node = claim(caller, 'node-name');
  const podName = claim(caller, 'pod-name');
  const podUid = claim(caller, 'pod-uid');
  const pod = findPod(podName);
  if (pod === undefined || pod.uid !== podUid) {
    throw new HubRefusal('UnknownPod', `pod ${podName} of the token does not exist, or not yet in the cache of the controller`);
  }
  if (pod.node !== node) {
    throw new HubRefusal('UnknownPod', `pod ${podName} runs on another node than its token says`);
  }
  if (!pod.hasAgentLabels) {
    throw new HubRefusal('UnknownPod', `pod ${podName} is not one of the agents' DaemonSet`);
  }
  return { node, podName, podUid };
}

/** The pod behind a live connection is still there. */
export function isAgentPodAlive(identity: AgentIdentity, findPod: (name: string) => PodItem | undefined): boolean {
  return findPod(identity.podName)?.uid === identity.podUid;
}

function claim(caller: Caller, name: 'node-name' | 'pod-name' | 'pod-uid'): string {
  const values = caller.extra[`authentication.kubernetes.io/${name}`] ?? [];
  const value = values[0];
  if (values.length !== 1 || value === undefined || value === '') {
    throw new HubRefusal('NotBound', `the token is not bound to a pod on a node (no ${name}); use a projected token of the DaemonSet`);
  }
  return value;
}
