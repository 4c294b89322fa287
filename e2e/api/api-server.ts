import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createKubeClient, type KubeClient } from '../../src/kube/client.ts';
import { loadAccess } from '../../src/kube/credentials.ts';
import { createTransport } from '../../src/kube/transport.ts';
import { systemClock } from '../../src/telemetry/clock.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { serviceAccountIdentity, type HostIdentity } from '../cluster/identity.ts';
import { kubectlWith, type Kubectl } from '../cluster/kubectl.ts';
import { kubernetesBinaries } from '../cluster/kubernetes-binaries.ts';
import { manifestsIn, manifestText } from '../cluster/manifests.ts';
import { processGroup, type ProcessGroup } from '../cluster/processes.ts';
import { crdsEstablished } from '../cluster/served-kinds.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { cacheFolder } from '../host/cache.ts';

/** A real control plane without nodes, with Palisade's CRDs and roles. */
export type ApiServer = {
  readonly controlPlane: ControlPlane;
  readonly kubectl: Kubectl;
  readonly binaries: string;
  readonly folder: string;
  readonly processes: ProcessGroup;
  /** Our own client, with the identity of a kubeconfig. */
  client(kubeconfigFile: string): KubeClient;
  identity(serviceAccount: string): Promise<HostIdentity>;
  stop(): Promise<void>;
};

export const NAMESPACE = 'palisade-system';

export async function startApiServer(): Promise<ApiServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'palisade-api-'));
  const binaries = await kubernetesBinaries(cacheFolder(process.env), process.env);
  const processes = processGroup(folder);
  const stopper = new AbortController();
  const transports: { close(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    stopper.abort();
    await Promise.all(transports.map((transport) => transport.close()));
    await processes.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // Nobody listens on the socket: there are no kubelets to reach.
    const controlPlane = await startControlPlane({ folder, binaries, processes, egressSocket: path.join(folder, 'egress.sock') });
    const kubectl = kubectlWith(binaries, controlPlane.kubeconfigFile);
    const namespace = (await manifestsIn('deploy')).filter((manifest) => manifest['kind'] === 'Namespace');
    await kubectl.apply(manifestText([...namespace, ...(await manifestsIn('crds')), ...(await manifestsIn('config/rbac'))]));
    await crdsEstablished(kubectl);
    await waitUntil('policies', async () => (await kubectl.run(['get', 'tracingpolicies,tracingpoliciesnamespaced', '-A']), true), {
      timeoutMs: 30_000,
    });
    return {
      controlPlane,
      kubectl,
      binaries,
      folder,
      processes,
      client: (kubeconfigFile) => {
        const access = loadAccess({ clock: systemClock, kubeconfigFile });
        const transport = createTransport({ access, clock: systemClock, metrics: createMetrics(), userAgent: 'palisade-test' });
        transports.push(transport);
        return createKubeClient(transport);
      },
      identity: (name) => serviceAccountIdentity({ kubectl, controlPlane, namespace: NAMESPACE, name, folder, signal: stopper.signal }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
