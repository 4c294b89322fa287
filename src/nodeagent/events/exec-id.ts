import type { ProcessKey } from '../../abi/record-types.ts';

/**
 * Names of processes. Inside the agent a process image is `ktime:tgid` (unique per boot of one node); outside it is upstream's `exec_id`,
 * base64 of `node:ktime:tgid`, unique in a cluster.
 */
export type ImageKey = Pick<ProcessKey, 'execKtimeNs' | 'tgid'>;

export function keyText(key: ImageKey): string {
  return `${key.execKtimeNs}:${key.tgid}`;
}

export function execId(nodeName: string, key: ImageKey): string {
  return Buffer.from(`${nodeName}:${keyText(key)}`, 'utf8').toString('base64');
}

/** A key of zeros stands for "none" in kernel records. */
export function isNoKey(key: ImageKey): boolean {
  return key.tgid === 0 && key.execKtimeNs === 0n;
}
