import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { startCommand, type CommandResult, type ExecOptions } from '../vm/channel.ts';
import { kernelNames } from '../vm/kernels.ts';
import { kubectlWith, type Kubectl } from './kubectl.ts';
import type { PalisadeCluster } from './palisade-cluster.ts';
import { pidFile } from './processes.ts';

const port = z.number().int().min(1).max(65_535);

/** What another process needs to know to use a running cluster. */
export const clusterInfoSchema = z.object({
  folder: z.string(),
  binaries: z.string(),
  kubeconfigFile: z.string(),
  server: z.string(),
  nodes: z.array(z.object({ name: z.string(), kernel: z.enum(kernelNames), release: z.string(), address: z.string(), controlPort: port })),
  ports: z.object({ hub: port, controllerHealth: port, webhook: port, webhookHealth: port }),
});

export type ClusterInfo = z.infer<typeof clusterInfoSchema>;

export function infoOf(cluster: PalisadeCluster): ClusterInfo {
  return {
    folder: cluster.folder,
    binaries: cluster.binaries,
    kubeconfigFile: cluster.controlPlane.kubeconfigFile,
    server: cluster.controlPlane.server,
    nodes: cluster.nodes.map((node) => ({
      name: node.name,
      kernel: node.kernel.name,
      release: node.kernel.release,
      address: node.address,
      controlPort: node.controlPort,
    })),
    ports: cluster.ports,
  };
}

/** A worker as tests use it. */
export type OpenNode = ClusterInfo['nodes'][number] & {
  /** Runs a command on the node itself, outside every container, as a child of the node's init. */
  readonly run: (argv: readonly [string, ...string[]], options?: ExecOptions) => Promise<CommandResult>;
};

/** A running cluster, used from outside the process that owns it. */
export type OpenCluster = {
  readonly info: ClusterInfo;
  readonly kubectl: Kubectl;
  readonly nodes: readonly OpenNode[];
  /** The process id of a process on the host (`palisade-controller`, `palisade-webhook`, …). */
  readonly pidOf: (name: string) => Promise<number>;
  readonly logOf: (name: string) => Promise<string>;
};

export function openCluster(info: ClusterInfo): OpenCluster {
  return {
    info,
    kubectl: kubectlWith(info.binaries, info.kubeconfigFile),
    nodes: info.nodes.map((node) =>
      Object.assign({}, node, {
        run: (argv: readonly [string, ...string[]], options: ExecOptions = {}) =>
          startCommand(node.controlPort, argv, { input: '', ...options }).result,
      }),
    ),
    pidOf: async (name) => Number(await readFile(pidFile(info.folder, name), 'utf8')),
    logOf: (name) => readFile(path.join(info.folder, `${name}.log`), 'utf8').catch(() => ''),
  };
}
