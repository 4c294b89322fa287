import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { HUB_LIMITS, podSchema, type HubPod } from '../../protocol/hub-frames.ts';

const fileSchema = z.array(podSchema).max(HUB_LIMITS.maxPodsPerNode);

/** The pods that were last known; none where there is no file or it cannot be read. */
export async function readPodFile(path: string): Promise<readonly HubPod[]> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return [];
  }
}

/**
 * Pods on disk, so that an agent that starts without a hub still knows whose cgroups it sees. Without fsync: what is lost is told again by
 * the hub.
 */
export async function writePodFile(path: string, pods: readonly HubPod[]): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(pods), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
