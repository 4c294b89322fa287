/**
 * What the names of cgroup directories say, in both spellings:
 *   cgroupfs  kubepods/burstable/pod<uid>/<container id>
 *   systemd   kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid with _>.slice/cri-containerd-<id>.scope
 */
export type CgroupName =
  | { readonly kind: 'root' }
  | { readonly kind: 'pod'; readonly podUid: string }
  | { readonly kind: 'container'; readonly containerId: string }
  | { readonly kind: 'other' };

const POD =
  /^(?:kubepods(?:-besteffort|-burstable)?-)?pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
const CONTAINER = /^(?:(?:cri-containerd|crio|docker|libpod|containerd)-)?([0-9a-f]{64})(?:\.scope)?$/;
const ROOTS: ReadonlySet<string> = new Set([
  'kubepods',
  'kubepods.slice',
  'besteffort',
  'burstable',
  'kubepods-besteffort.slice',
  'kubepods-burstable.slice',
]);

/** The meaning of one directory's name, without its path. Uids come back in the API's spelling, with hyphens. */
export function readCgroupName(name: string): CgroupName {
  if (ROOTS.has(name)) return { kind: 'root' };
  const pod = POD.exec(name)?.[1];
  if (pod !== undefined) return { kind: 'pod', podUid: pod.replaceAll('_', '-') };
  const container = CONTAINER.exec(name)?.[1];
  if (container !== undefined) return { kind: 'container', containerId: container };
  return { kind: 'other' };
}

/** Every name that the kubelet may give to a pod's cgroup: QoS classes times drivers. Known at bind time, before the directory exists. */
export function podCgroupNames(podUid: string): string[] {
  const systemdUid = podUid.replaceAll('-', '_');
  return [
    `pod${podUid}`,
    `kubepods-pod${systemdUid}.slice`,
    `kubepods-burstable-pod${systemdUid}.slice`,
    `kubepods-besteffort-pod${systemdUid}.slice`,
  ];
}

/** The hexadecimal id in an API container id (`containerd://<id>`) or undefined if there is none. */
export function containerIdOf(apiId: string | undefined): string | undefined {
  const id = apiId?.split('://').at(-1);
  return id !== undefined && /^[0-9a-f]{12,64}$/.test(id) ? id : undefined;
}
