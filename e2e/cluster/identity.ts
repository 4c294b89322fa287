import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from './control-plane.ts';
import type { Kubectl } from './kubectl.ts';
import { kubeconfig } from './kubeconfig.ts';

/** A ServiceAccount's own credentials on the host, as its pod would have them. */
export type HostIdentity = {
  readonly kubeconfigFile: string;
  /** A token for the hub alone, as the kubelet projects it into pods. */
  readonly hubTokenFile: string;
};

const tokenLifetimeSeconds = 3600;
const refreshMs = (tokenLifetimeSeconds * 1000) / 2;
const hubAudience = 'palisade-hub';

/**
 * Gives a process on the host the identity of a ServiceAccount: tokens from the API's TokenRequest in files that are
 * renewed until `signal` aborts, and a kubeconfig that names one of them. Never an administrator's key.
 */
export async function serviceAccountIdentity(options: {
  readonly kubectl: Kubectl;
  readonly controlPlane: ControlPlane;
  readonly namespace: string;
  readonly name: string;
  readonly folder: string;
  readonly signal: AbortSignal;
}): Promise<HostIdentity> {
  const folder = path.join(options.folder, options.name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const tokenFile = path.join(folder, 'token');
  const hubTokenFile = path.join(folder, 'hub-token');
  const renew = async (file: string, flags: readonly string[]): Promise<void> => {
    const token = await options.kubectl.run([
      'create',
      'token',
      options.name,
      '-n',
      options.namespace,
      `--duration=${tokenLifetimeSeconds}s`,
      ...flags,
    ]);
    await writeFile(`${file}.new`, token.trim(), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  const renewAll = async (): Promise<void> => {
    await renew(tokenFile, []);
    await renew(hubTokenFile, [`--audience=${hubAudience}`]);
  };
  await renewAll();
  void (async () => {
    while (!options.signal.aborted) {
      await sleep(refreshMs, undefined, { signal: options.signal, ref: false }).catch(() => undefined);
      // A failure is not the end: half of the token's life is left for the next attempt.
      if (!options.signal.aborted)
        await renewAll().catch((error: unknown) => process.stderr.write(`token of ${options.name}: ${String(error)}\n`));
    }
  })();
  const kubeconfigFile = path.join(folder, 'kubeconfig');
  const { server, authority } = options.controlPlane;
  await writeFile(kubeconfigFile, kubeconfig(server, authority.certificate, { kind: 'token-file', path: tokenFile }), { mode: 0o600 });
  return { kubeconfigFile, hubTokenFile };
}
