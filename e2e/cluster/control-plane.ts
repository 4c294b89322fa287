import { mkdir, writeFile } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import { freePort } from '../host/free-port.ts';
import { kubeconfig } from './kubeconfig.ts';
import { makeAuthority, makeSigningKeys, type Authority, type Subject } from './pki.ts';
import type { HostProcess, ProcessGroup } from './processes.ts';
import { Unrecoverable, waitUntil } from './wait-until.ts';

/** What QEMU's user network calls the host. */
export const hostAddress = '10.0.2.2';

export type ControlPlane = {
  readonly port: number;
  /** As processes on this host reach it. */
  readonly server: string;
  readonly authority: Authority;
  /** An administrator's kubeconfig, for people and tests only. */
  readonly kubeconfigFile: string;
};

export type ControlPlaneOptions = {
  readonly folder: string;
  /** Folder of the Kubernetes programs. */
  readonly binaries: string;
  readonly processes: ProcessGroup;
  /** The API server's way to the kubelets: a CONNECT proxy on this unix socket. */
  readonly egressSocket: string;
};

type Identity = 'apiserver' | 'kubelet-client' | 'admin' | 'kcm' | 'scheduler';

const subjects: Record<Identity, Subject> = {
  apiserver: {
    commonName: 'kube-apiserver',
    dns: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
    ip: ['127.0.0.1', hostAddress, '10.96.0.1'],
  },
  'kubelet-client': { commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' },
  admin: { commonName: 'admin', organization: 'system:masters' },
  kcm: { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
};

async function writeKeys(folder: string, server: string): Promise<Authority> {
  const authority = await makeAuthority('palisade-cluster');
  // The request-header authority must not be the one of clients.
  const front = await makeAuthority('palisade-front-proxy');
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text, { mode: 0o600 });
  await write('ca.crt', authority.certificate);
  await write('front.crt', front.certificate);
  const { privateKey, publicKey } = makeSigningKeys();
  await write('service-accounts.key', privateKey);
  await write('service-accounts.pub', publicKey);
  for (const [name, subject] of Object.entries(subjects)) {
    const { certificate, key } = await authority.issue(subject);
    await write(`${name}.crt`, certificate);
    await write(`${name}.key`, key);
    await write(`${name}.conf`, kubeconfig(server, authority.certificate, { kind: 'certificate', certificate, key }));
  }
  return authority;
}

/** Starts etcd and the three programs of the control plane on free ports of loopback; returns when the API is ready. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { folder, binaries, processes } = options;
  await mkdir(folder, { recursive: true });
  const [port, etcdPort, peerPort, kcmPort, schedulerPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const server = `https://127.0.0.1:${port}`;
  const authority = await writeKeys(folder, server);
  const inFolder = (name: string): string => path.join(folder, name);
  await writeFile(inFolder('egress.yaml'), JSON.stringify(egressConfiguration(options.egressSocket)));
  const [client, peer] = [`http://127.0.0.1:${etcdPort}`, `http://127.0.0.1:${peerPort}`];
  processes.start({
    name: 'etcd',
    onEnd: 'report',
    argv: [
      'etcd',
      '--data-dir',
      inFolder('etcd'),
      '--unsafe-no-fsync',
      '--listen-client-urls',
      client,
      '--advertise-client-urls',
      client,
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      `default=${peer}`,
    ],
  });
  const apiServer = processes.start({
    name: 'kube-apiserver',
    onEnd: 'report',
    argv: [
      path.join(binaries, 'kube-apiserver'),
      `--etcd-servers=${client}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--advertise-address=${hostAddress}`,
      `--tls-cert-file=${inFolder('apiserver.crt')}`,
      `--tls-private-key-file=${inFolder('apiserver.key')}`,
      `--client-ca-file=${inFolder('ca.crt')}`,
      `--requestheader-client-ca-file=${inFolder('front.crt')}`,
      '--requestheader-allowed-names=front-proxy',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${inFolder('service-accounts.pub')}`,
      `--service-account-signing-key-file=${inFolder('service-accounts.key')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--kubelet-preferred-address-types=InternalIP',
      `--kubelet-client-certificate=${inFolder('kubelet-client.crt')}`,
      `--kubelet-client-key=${inFolder('kubelet-client.key')}`,
      `--egress-selector-config-file=${inFolder('egress.yaml')}`,
    ],
  });
  await untilReady(apiServer, port, authority.certificate);
  const common = (name: string): string[] => {
    const file = inFolder(`${name}.conf`);
    return [
      `--kubeconfig=${file}`,
      `--authentication-kubeconfig=${file}`,
      `--authorization-kubeconfig=${file}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      `--cert-dir=${inFolder(`${name}-certificates`)}`,
    ];
  };
  processes.start({
    name: 'kube-controller-manager',
    onEnd: 'report',
    argv: [
      path.join(binaries, 'kube-controller-manager'),
      ...common('kcm'),
      `--secure-port=${kcmPort}`,
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${inFolder('service-accounts.key')}`,
      `--root-ca-file=${inFolder('ca.crt')}`,
      '--allocate-node-cidrs=true',
      '--cluster-cidr=10.244.0.0/16',
    ],
  });
  processes.start({
    name: 'kube-scheduler',
    onEnd: 'report',
    argv: [path.join(binaries, 'kube-scheduler'), ...common('scheduler'), `--secure-port=${schedulerPort}`],
  });
  return { port, server, authority, kubeconfigFile: inFolder('admin.conf') };
}

function egressConfiguration(socket: string): object {
  const connection = { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: socket } } };
  return {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [{ name: 'cluster', connection }],
  };
}

async function untilReady(apiServer: HostProcess, port: number, ca: string): Promise<void> {
  await waitUntil(
    'kube-apiserver',
    async () => {
      if (!apiServer.isRunning()) throw new Unrecoverable(`kube-apiserver ended:\n${await apiServer.logTail()}`);
      return (await statusOf(port, ca)) === 200 ? true : undefined;
    },
    { timeoutMs: 60_000 },
  );
}

/** The authority is checked, so that a stranger's server on the port is never taken for ours. */
function statusOf(port: number, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = https.get({ host: '127.0.0.1', port, path: '/readyz', ca, timeout: 2000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 2 s')));
    request.on('error', reject);
  });
}
