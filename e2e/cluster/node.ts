import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../host/command.ts';
import { freePort } from '../host/free-port.ts';
import { startCommand, type CommandResult, type ExecOptions } from '../vm/channel.ts';
import type { Kernel } from '../vm/kernels.ts';
import { hostAddress, type ControlPlane } from './control-plane.ts';
import { kubeconfig } from './kubeconfig.ts';
import type { HostProcess, ProcessGroup } from './processes.ts';

/** A worker of the cluster: a machine with its own kernel. */
export type ClusterNode = {
  readonly name: string;
  readonly kernel: Kernel;
  /** The address that the kubelet reports. Each worker has its own user network, and an address of its own in it. */
  readonly address: string;
  /** Where loopback leads to its kubelet. */
  readonly kubeletPort: number;
  /** Where loopback leads to its guestd. */
  readonly controlPort: number;
  readonly process: () => HostProcess;
  readonly consoleFile: string;
  /** Runs a command on the node itself, outside every container, as a child of the node's init. */
  readonly run: (argv: readonly [string, ...string[]], options?: ExecOptions) => Promise<CommandResult>;
};

export type NodePorts = { readonly kubelet: number; readonly control: number };

/** Node names follow the kernel: `node-6-12`. */
export function nodeName(kernel: Kernel): string {
  return `node-${kernel.name.replace('.', '-')}`;
}

/** The address of the worker with the given number (1, 2, …) in its user network. */
export function nodeAddress(number: number): string {
  return `10.0.2.${14 + number}`;
}

export async function takeNodePorts(): Promise<NodePorts> {
  return { kubelet: await freePort(), control: await freePort() };
}

export type NodeOptions = {
  readonly folder: string;
  readonly number: number;
  readonly kernel: Kernel;
  readonly initramfs: string;
  readonly disk: string;
  readonly ports: NodePorts;
  readonly controlPlane: ControlPlane;
  readonly registryPort: number;
  readonly processes: ProcessGroup;
  readonly memoryMiB?: number;
};

async function writeSeed(options: NodeOptions, name: string): Promise<string> {
  const keys = path.join(options.folder, `${name}-keys`);
  await mkdir(keys, { recursive: true });
  const { authority, port } = options.controlPlane;
  // One certificate serves as the kubelet's client and serving certificate.
  const { certificate, key } = await authority.issue({
    organization: 'system:nodes',
    commonName: `system:node:${name}`,
    dns: [name],
    ip: [nodeAddress(options.number)],
  });
  const files = {
    'ca.crt': authority.certificate,
    'node.crt': certificate,
    'node.key': key,
    kubeconfig: kubeconfig(`https://${hostAddress}:${port}`, authority.certificate, { kind: 'certificate', certificate, key }),
  };
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(keys, file), text, { mode: 0o600 });
  const seed = path.join(options.folder, `${name}-seed.tar`);
  await runCommand(['tar', '-cf', seed, '-C', keys, ...Object.keys(files)]);
  return seed;
}

/** Starts a worker; it joins the cluster by itself some ten seconds later. */
export async function startNode(options: NodeOptions): Promise<ClusterNode> {
  const name = nodeName(options.kernel);
  const address = nodeAddress(options.number);
  const seed = await writeSeed(options, name);
  const consoleFile = path.join(options.folder, `${name}-console.log`);
  const boot = {
    'palisade.node': name,
    'palisade.addr': address,
    'palisade.pods': `10.244.${options.number}.0/24`,
    'palisade.api': options.controlPlane.port,
    'palisade.registry': options.registryPort,
  };
  const bootArguments = Object.entries(boot)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
  const { ports } = options;
  const hostProcess = options.processes.start({
    name,
    onEnd: 'report',
    argv: [
      'qemu-system-x86_64',
      '-name',
      name,
      '-machine',
      'pc',
      '-accel',
      'tcg,thread=multi,tb-size=512',
      '-cpu',
      'max',
      '-smp',
      '1',
      '-m',
      String(options.memoryMiB ?? 1536),
      '-display',
      'none',
      '-serial',
      `file:${consoleFile}`,
      '-monitor',
      'none',
      '-no-reboot',
      '-kernel',
      options.kernel.image,
      '-initrd',
      options.initramfs,
      '-append',
      `console=ttyS0 quiet panic=-1 no_timer_check lsm=landlock,lockdown,yama,integrity,apparmor,bpf ${bootArguments}`,
      '-drive',
      `file=${options.disk},if=none,id=disk,format=raw,snapshot=on,cache=unsafe`,
      '-device',
      'virtio-blk-pci,drive=disk',
      '-drive',
      `file=${seed},if=none,id=seed,format=raw,readonly=on`,
      '-device',
      'virtio-blk-pci,drive=seed',
      '-netdev',
      `user,id=net,hostfwd=tcp:127.0.0.1:${ports.kubelet}-${address}:10250,hostfwd=tcp:127.0.0.1:${ports.control}-${address}:1024`,
      '-device',
      'virtio-net-pci,netdev=net,romfile=',
    ],
  });
  return {
    name,
    kernel: options.kernel,
    address,
    kubeletPort: ports.kubelet,
    controlPort: ports.control,
    process: () => hostProcess,
    consoleFile,
    run: (argv, execOptions = {}) => startCommand(ports.control, argv, { input: '', ...execOptions }).result,
  };
}
