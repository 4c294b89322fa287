import { freePort } from '../host/free-port.ts';
import path from 'node:path';
import { hostAddress } from './control-plane.ts';
import type { HostIdentity } from './identity.ts';
import type { HostProcess, ProcessGroup } from './processes.ts';

const dist = path.join(import.meta.dirname, '../../dist/src');

/** Ports of loopback that controller and webhook listen on in this cluster. */
export type ServicePorts = {
  readonly hub: number;
  readonly controllerHealth: number;
  readonly webhook: number;
  readonly webhookHealth: number;
};

export async function takeServicePorts(): Promise<ServicePorts> {
  return { hub: await freePort(), controllerHealth: await freePort(), webhook: await freePort(), webhookHealth: await freePort() };
}

/** The hub as agents in the machines dial it: QEMU's name of the host. The certificate is for the hub's fixed name. */
export function hubUrl(ports: ServicePorts): string {
  return `wss://${hostAddress}:${ports.hub}`;
}

export type ServiceOptions = {
  readonly processes: ProcessGroup;
  readonly ports: ServicePorts;
  readonly identity: HostIdentity;
  readonly namespace: string;
  /** Added to the command line: the tests' shorter times. */
  readonly flags: readonly string[];
};

/** Starts the controller on the host under its own ServiceAccount's identity; it is started again whenever it ends. */
export function startController(options: ServiceOptions): HostProcess {
  const { ports } = options;
  return options.processes.start({
    name: 'palisade-controller',
    onEnd: 'restart',
    argv: [
      process.execPath,
      path.join(dist, 'controller/main.js'),
      `--kubeconfig=${options.identity.kubeconfigFile}`,
      `--namespace=${options.namespace}`,
      `--hub-listen=127.0.0.1:${ports.hub}`,
      `--metrics-listen=127.0.0.1:${ports.controllerHealth}`,
      ...options.flags,
    ],
  });
}

/** Starts the webhook in the same way. */
export function startWebhook(options: ServiceOptions & { readonly hubCaFile: string }): HostProcess {
  const { ports, identity, namespace } = options;
  return options.processes.start({
    name: 'palisade-webhook',
    onEnd: 'restart',
    argv: [
      process.execPath,
      path.join(dist, 'webhook/main.js'),
      `--kubeconfig=${identity.kubeconfigFile}`,
      `--tls-secret=${namespace}/palisade-webhook-tls`,
      `--listen=127.0.0.1:${ports.webhook}`,
      `--metrics-listen=127.0.0.1:${ports.webhookHealth}`,
      `--hub-url=wss://127.0.0.1:${ports.hub}`,
      `--hub-ca-file=${options.hubCaFile}`,
      `--token-file=${identity.hubTokenFile}`,
      ...options.flags,
    ],
  });
}
