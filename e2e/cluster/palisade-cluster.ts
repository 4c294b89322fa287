import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loaderPath, type LoaderBuild } from '../../scripts/loader-build.ts';
import { step } from '../host/step.ts';
import { startCluster, type Cluster, type ClusterOptions } from './cluster.ts';
import { hubUrl, startController, startWebhook, takeServicePorts, type ServicePorts } from './host-services.ts';
import type { Kubectl } from './kubectl.ts';
import { serviceAccountIdentity } from './identity.ts';
import { manifestText, manifestsIn, mapStrings, withAgentFlags, withWebhookAddress, type Manifest } from './manifests.ts';
import { palisadeImage } from './palisade-image.ts';
import type { HostProcess } from './processes.ts';
import { crdsEstablished } from './served-kinds.ts';
import { waitUntil } from './wait-until.ts';

export const systemNamespace = 'palisade-system';

/** A running cluster with Palisade on it. */
export type PalisadeCluster = Cluster & {
  readonly ports: ServicePorts;
  readonly controller: HostProcess;
  readonly webhook: HostProcess;
};

export type PalisadeClusterOptions = Omit<ClusterOptions, 'images'> & {
  readonly build: LoaderBuild;
  /** Added to the command lines of controller and webhook. */
  readonly controllerFlags?: readonly string[];
  readonly webhookFlags?: readonly string[];
  readonly agentFlags?: readonly string[];
  readonly signal: AbortSignal;
};

/** A manifest of this repository with the addresses that hub and webhook have in this cluster. */
function forThisCluster(manifest: Manifest, ports: ServicePorts): Manifest {
  const changed = mapStrings(manifest, (text) => text.replace(/wss:\/\/palisade-hub\.palisade-system\.svc:8443/, hubUrl(ports)));
  return withWebhookAddress(changed, `https://127.0.0.1:${ports.webhook}`);
}

/** Starts a cluster and installs Palisade from crds/, config/ and deploy/; returns when every node's agent is ready. */
export async function startPalisadeCluster(options: PalisadeClusterOptions): Promise<PalisadeCluster> {
  const image = await step('Palisade image', () => palisadeImage(options.cache, loaderPath(options.build)));
  const cluster = await startCluster({ ...options, images: [image] });
  try {
    const ports = await takeServicePorts();
    const { kubectl, processes, controlPlane, folder } = cluster;
    await step('CRDs, roles, admission', async () => {
      const applied = [
        ...(await manifestsIn('deploy')).filter((manifest) => manifest['kind'] === 'Namespace'),
        ...(await manifestsIn('crds')),
      ];
      await kubectl.apply(manifestText(applied));
      await crdsEstablished(kubectl);
      await kubectl.apply(
        manifestText(
          [...(await manifestsIn('config/rbac')), ...(await manifestsIn('config/admission'))].map((manifest) =>
            forThisCluster(manifest, ports),
          ),
        ),
      );
    });
    const identity = (name: string) =>
      serviceAccountIdentity({ kubectl, controlPlane, namespace: systemNamespace, name, folder, signal: options.signal });
    const controller = startController({
      processes,
      ports,
      namespace: systemNamespace,
      identity: await identity('palisade-controller'),
      flags: options.controllerFlags ?? [],
    });
    await step('controller', () => untilHealthy('controller', ports.controllerHealth, controller));
    const hubCaFile = path.join(folder, 'hub-ca.crt');
    await writeFile(hubCaFile, await hubAuthority(kubectl));
    const webhook = startWebhook({
      hubCaFile,
      processes,
      ports,
      namespace: systemNamespace,
      identity: await identity('palisade-webhook'),
      flags: options.webhookFlags ?? [],
    });
    await step('webhook', () => untilHealthy('webhook', ports.webhookHealth, webhook));
    await step('agents', async () => {
      await kubectl.apply(
        manifestText(
          (await manifestsIn('deploy')).map((manifest) => withAgentFlags(forThisCluster(manifest, ports), options.agentFlags ?? [])),
        ),
      );
      await kubectl.run(['-n', systemNamespace, 'rollout', 'status', 'daemonset/palisade-agent', '--timeout=120s']);
    });
    return { ...cluster, ports, controller, webhook };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** The authority of the hub's certificate, which the controller publishes for agents and webhooks. */
function hubAuthority(kubectl: Kubectl): Promise<string> {
  return waitUntil(
    'ConfigMap palisade-hub-ca',
    async () => {
      const text = await kubectl.run(['-n', systemNamespace, 'get', 'configmap', 'palisade-hub-ca', '-o', "jsonpath={.data['ca\\.crt']}"]);
      return text === '' ? undefined : text;
    },
    { timeoutMs: 30_000 },
  );
}

async function untilHealthy(name: string, port: number, hostProcess: HostProcess): Promise<void> {
  try {
    await waitUntil(name, async () => ((await fetch(`http://127.0.0.1:${port}/readyz`)).ok ? true : undefined), { timeoutMs: 30_000 });
  } catch (error) {
    throw new Error(`${name} is not ready; its log ends with\n${await hostProcess.logTail()}`, { cause: error });
  }
}
