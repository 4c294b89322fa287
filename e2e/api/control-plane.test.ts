import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeClient } from '../../src/kube/client.ts';
import { goodPolicy } from '../../src/webhook/testing/policies.ts';
import { manifestsIn, manifestText, withWebhookAddress } from '../cluster/manifests.ts';
import type { HostProcess } from '../cluster/processes.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { runCommand } from '../host/command.ts';
import { freePort } from '../host/free-port.ts';
import { NAMESPACE, startApiServer, type ApiServer } from './api-server.ts';

let api: ApiServer;
let admin: KubeClient;
let controller: HostProcess;
let webhook: HostProcess;
let controllerProbes: string;
let webhookProbes: string;

const source = (file: string): string => path.join(import.meta.dirname, '../../src', file);
const metrics = async (probes: string): Promise<string> => (await fetch(`${probes}/metrics`)).text();
const untilReady = (what: string, probes: string) =>
  waitUntil(what, async () => ((await fetch(`${probes}/readyz`)).ok ? true : undefined), { timeoutMs: 30_000 });
const conditionsOf = async (name: string): Promise<string> =>
  api.kubectl.run(['get', 'tracingpolicy', name, '-o', 'jsonpath={range .status.conditions[*]}{.type}={.status}/{.reason} {end}']);

beforeAll(async () => {
  api = await startApiServer();
  admin = api.client(api.controlPlane.kubeconfigFile);
  const [hub, hook, controllerHealth, webhookHealth] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  controllerProbes = `http://127.0.0.1:${controllerHealth}`;
  webhookProbes = `http://127.0.0.1:${webhookHealth}`;
  const configuration = (await manifestsIn('config/admission')).map((manifest) =>
    withWebhookAddress(manifest, `https://127.0.0.1:${hook}`),
  );
  await api.kubectl.apply(manifestText(configuration));
  const hubToken = path.join(api.folder, 'webhook-hub-token');
  await writeFile(hubToken, (await admin.requestToken({ namespace: NAMESPACE, name: 'palisade-webhook' }, ['palisade-hub'], 3_600)).token);
  controller = api.processes.start({
    name: 'palisade-controller',
    onEnd: 'restart',
    argv: [
      process.execPath,
      source('controller/main.ts'),
      `--kubeconfig=${(await api.identity('palisade-controller')).kubeconfigFile}`,
      `--hub-listen=127.0.0.1:${hub}`,
      `--metrics-listen=127.0.0.1:${controllerHealth}`,
    ],
  });
  webhook = api.processes.start({
    name: 'palisade-webhook',
    onEnd: 'restart',
    argv: [
      process.execPath,
      source('webhook/main.ts'),
      `--kubeconfig=${(await api.identity('palisade-webhook')).kubeconfigFile}`,
      `--tls-secret=${NAMESPACE}/palisade-webhook-tls`,
      `--hub-url=wss://127.0.0.1:${hub}`,
      `--token-file=${hubToken}`,
      `--listen=127.0.0.1:${hook}`,
      `--metrics-listen=127.0.0.1:${webhookHealth}`,
    ],
  });
}, 300_000);

afterAll(async () => {
  await api?.stop();
});

describe('controller and webhook on a new cluster, each with its own rights only', () => {
  test('become ready without anybody making a certificate', async () => {
    const startMs = performance.now();
    await untilReady('the controller', controllerProbes);
    await untilReady('the webhook', webhookProbes);
    process.stdout.write(`    · ready after ${Math.round(performance.now() - startMs)} ms\n`);
    expect(await api.kubectl.run(['get', 'configmap', '-n', NAMESPACE, 'palisade-hub-ca', '-o', 'jsonpath={.data.ca\\.crt}'])).toContain(
      'BEGIN CERTIFICATE',
    );
  });

  test('find each other: the webhook follows the catalogue of the hub', async () => {
    await waitUntil(
      'the catalogue',
      async () => (/palisade_catalogue_age_seconds [0-9]/.test(await metrics(webhookProbes)) ? true : undefined),
      { timeoutMs: 20_000 },
    );
  });

  test('accept a good policy, and say that no node can have it', async () => {
    await waitUntil('admission', async () => (await api.kubectl.apply(JSON.stringify(goodPolicy())), true), { timeoutMs: 20_000 });
    await waitUntil('the status', async () => ((await conditionsOf('guard')).includes('Accepted=True') ? true : undefined), {
      timeoutMs: 20_000,
    });
    process.stdout.write(`    · ${await conditionsOf('guard')}\n`);
    expect(await conditionsOf('guard')).toContain('Compiled=True');
  });

  test('refuse a bad one', async () => {
    const bad = api.kubectl.apply(JSON.stringify({ ...goodPolicy(), metadata: { name: 'bad' }, spec: {} }));
    await expect(bad).rejects.toThrow('[NoHooks]');
  });

  test('were never denied anything by the API server', async () => {
    expect(await metrics(controllerProbes)).not.toContain('result="Forbidden"');
    expect(await metrics(webhookProbes)).not.toContain('result="Forbidden"');
  });

  test('kill -9 of both: they find their certificates again, and nothing is made anew', async () => {
    const authority = (): Promise<string> =>
      api.kubectl.run(['get', 'secret', '-n', NAMESPACE, 'palisade-ca', '-o', 'jsonpath={.data.tls\\.crt}']);
    const before = await authority();
    for (const victim of [controller, webhook]) process.kill(victim.pid() ?? 0, 'SIGKILL');
    await waitUntil('the restarts', async () => (controller.restarts() + webhook.restarts() >= 2 ? true : undefined), {
      timeoutMs: 10_000,
    });
    await untilReady('the controller', controllerProbes);
    await untilReady('the webhook', webhookProbes);
    expect(await authority()).toBe(before);
    await api.kubectl.apply(JSON.stringify({ ...goodPolicy(), metadata: { name: 'afterwards' } }));
  });

  test('answer many requests at once', async () => {
    const manifests = Array.from({ length: 100 }, (_, index) =>
      JSON.stringify({ ...goodPolicy(), metadata: { name: `many-${index}` } }),
    ).join('\n---\n');
    const startMs = performance.now();
    await runCommand([`${api.binaries}/kubectl`, '--kubeconfig', api.controlPlane.kubeconfigFile, 'create', '-f', '-'], {
      input: manifests,
    });
    process.stdout.write(`    · 100 policies created in ${Math.round(performance.now() - startMs)} ms\n`);
    await waitUntil('their status', async () => ((await conditionsOf('many-99')).includes('Accepted=True') ? true : undefined), {
      timeoutMs: 30_000,
    });
    process.stdout.write(`    · the last was accepted after ${Math.round(performance.now() - startMs)} ms\n`);
  });

  test('write logs that can be read', async () => {
    const lines = (await readFile(controller.logFile, 'utf8')).split('\n').filter((line) => line.startsWith('{'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ component: 'controller', level: expect.any(String) });
  });
});
