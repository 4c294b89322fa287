import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { step } from '../host/step.ts';
import { fetchKernels, type KernelName } from '../vm/kernels.ts';
import { baseImages } from './base-images.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { startEgress } from './egress.ts';
import { kubectlWith, type Kubectl } from './kubectl.ts';
import { kubernetesBinaries } from './kubernetes-binaries.ts';
import { nodeAddress, startNode, takeNodePorts, type ClusterNode } from './node.ts';
import { nodeDisk, nodeInitramfs } from './node-image.ts';
import { processGroup, type ProcessGroup } from './processes.ts';
import { startRegistry } from './registry.ts';
import { Unrecoverable, waitUntil } from './wait-until.ts';

/** A running cluster without Palisade. */
export type Cluster = {
  readonly controlPlane: ControlPlane;
  readonly nodes: readonly ClusterNode[];
  readonly kubectl: Kubectl;
  readonly binaries: string;
  readonly folder: string;
  readonly processes: ProcessGroup;
  readonly stop: () => Promise<void>;
};

export type ClusterOptions = {
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  /** For logs, keys and the kubeconfig of this cluster; emptied. */
  readonly folder: string;
  readonly kernels: readonly KernelName[];
  /** Archives of images that the nodes have from their first moment on. */
  readonly images: readonly string[];
};

/** Starts a control plane and its workers; returns when every worker is Ready and pods are accepted. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { cache, folder } = options;
  const binaries = await step('Kubernetes programs', () => kubernetesBinaries(cache, options.env));
  const kernels = await fetchKernels(cache, options.kernels);
  const base = await step('pause and busybox images', () => baseImages(cache));
  const disk = await step('disk of the workers', () => nodeDisk({ cache, binaries, images: [base.pause, ...options.images] }));
  const initramfs = await Promise.all(kernels.map((kernel) => nodeInitramfs(cache, kernel)));

  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // A unix socket's path has at most 107 bytes, which the run folder's may exceed.
  const sockets = await mkdtemp(path.join(tmpdir(), 'palisade-'));
  const processes = processGroup(folder);
  const ports = await Promise.all(kernels.map(() => takeNodePorts()));
  const kubelets = new Map(ports.map((port, index) => [`${nodeAddress(index + 1)}:10250`, port.kubelet]));
  const egressSocket = path.join(sockets, 'egress.sock');
  const egress = await startEgress(egressSocket, kubelets);
  const stop = async (): Promise<void> => {
    await processes.stop();
    await egress.close();
    await rm(sockets, { recursive: true, force: true });
  };
  try {
    const registry = await step('registry', () =>
      startRegistry({ cache, folder, processes, images: [{ name: 'library/busybox:latest', archive: base.busybox }] }),
    );
    const controlPlane = await step('control plane', () => startControlPlane({ folder, binaries, processes, egressSocket }));
    await cp(controlPlane.kubeconfigFile, path.join(folder, 'kubeconfig'));
    const kubectl = kubectlWith(binaries, controlPlane.kubeconfigFile);
    const nodes = await step('workers Ready', async () => {
      const started: ClusterNode[] = [];
      for (const [index, kernel] of kernels.entries()) {
        const [nodePorts, image] = [ports[index], initramfs[index]];
        if (nodePorts === undefined || image === undefined) throw new Error(`no ports or initramfs for ${kernel.name}`);
        started.push(
          await startNode({
            folder,
            number: index + 1,
            kernel,
            initramfs: image,
            disk,
            ports: nodePorts,
            controlPlane,
            registryPort: registry.port,
            processes,
          }),
        );
      }
      await untilReady(kubectl, started);
      return started;
    });
    return { controlPlane, nodes, kubectl, binaries, folder, processes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilReady(kubectl: Kubectl, nodes: readonly ClusterNode[]): Promise<void> {
  for (const node of nodes) {
    await waitUntil(
      `node ${node.name}`,
      async () => {
        if (!node.process().isRunning()) throw new Unrecoverable(await node.process().logTail());
        await kubectl.run(['wait', '--for=condition=Ready', `node/${node.name}`, '--timeout=10s']);
        return true;
      },
      { timeoutMs: 120_000, everyMs: 300 },
    );
  }
  // A pod made before its namespace has its ServiceAccount is refused.
  await waitUntil('ServiceAccount default', async () => (await kubectl.run(['get', 'serviceaccount', 'default']), true), {
    timeoutMs: 60_000,
  });
}
