import type { Identities, Identity } from '../events/identities.ts';
import type { CgroupIndex } from './cgroup-index.ts';
import { namePod, type PodTable } from './pod-table.ts';

const HOST: Identity = { state: 'host' };

/** Cgroups joined with pods. A cgroup that nobody announced is the host's. */
export function nodeIdentities(cgroups: CgroupIndex, pods: PodTable): Identities {
  return {
    ofCgroup: (cgroupId) => {
      const owner = cgroups.get(cgroupId);
      if (owner === undefined || owner.podUid === null) return HOST;
      const pod = pods.byCgroupUid(owner.podUid);
      if (pod === undefined) return { state: 'pod', pod: null, containerId: owner.containerId, complete: false };
      const named = namePod(pod, owner.containerId);
      return { state: 'pod', pod: named.pod, containerId: owner.containerId, complete: named.complete };
    },
  };
}
