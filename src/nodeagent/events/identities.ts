import type { EventPod } from './event.ts';

/** Who a cgroup belongs to, as far as it is known now. */
export type Identity =
  | { readonly state: 'host' }
  /** `complete`: no later message of the hub can add to it, so there is nothing to wait for. */
  | { readonly state: 'pod'; readonly pod: EventPod | null; readonly containerId: string | null; readonly complete: boolean };

export type Identities = { ofCgroup(cgroupId: bigint): Identity };

export const HOST_ONLY: Identities = { ofCgroup: () => ({ state: 'host' }) };
