import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueAuthority, issueLeaf, type CertificatePair } from '../../src/kube/certificates/issue.ts';
import { tlsSecretContent, WEBHOOK_TLS_SECRET, type TlsMaterial } from '../../src/kube/certificates/tls-secret.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS, type ResourceType } from '../../src/kube/resource-type.ts';
import { BUILD_NEW, BUILD_OLD, buildFrame, kernelNames, nodes } from '../../src/webhook/testing/kernels.ts';
import { goodPolicy, watching } from '../../src/webhook/testing/policies.ts';
import { manifestsIn, manifestText, withWebhookAddress } from '../cluster/manifests.ts';
import type { HostProcess } from '../cluster/processes.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { runCommand } from '../host/command.ts';
import { freePort } from '../host/free-port.ts';
import { NAMESPACE, startApiServer, type ApiServer } from './api-server.ts';
import { startFakeHub, type FakeHub } from './fake-hub.ts';

const POLICIES: ResourceType = {
  group: 'cilium.io',
  version: 'v1alpha1',
  plural: 'tracingpolicies',
  kind: 'TracingPolicy',
  isNamespaced: false,
};
const HOUR_MS = 3_600_000;

let api: ApiServer;
let admin: KubeClient;
let controller: KubeClient;
let authority: CertificatePair;
let hub: FakeHub;
let webhook: HostProcess;
let port: number;
let probes: string;

async function leaf(commonName: string, dnsNames: readonly string[]): Promise<TlsMaterial> {
  const pair = await issueLeaf({
    authority,
    commonName,
    dnsNames,
    ipAddresses: ['127.0.0.1'],
    nowMs: Date.now(),
    validForMs: 24 * HOUR_MS,
  });
  return { ...pair, authorityPem: authority.certificatePem };
}

beforeAll(async () => {
  api = await startApiServer();
  admin = api.client(api.controlPlane.kubeconfigFile);
  controller = api.client((await api.identity('palisade-controller')).kubeconfigFile);
  authority = await issueAuthority({ commonName: 'Palisade CA', nowMs: Date.now(), validForMs: 48 * HOUR_MS });
  hub = await startFakeHub(await leaf('palisade-hub', ['palisade-hub.palisade-system.svc']), {
    frames: [
      buildFrame(BUILD_OLD),
      buildFrame(BUILD_NEW),
      { t: 'nodes', full: true, put: [...nodes('old', 1, { build: BUILD_OLD }), ...nodes('new', 1)] },
    ],
    names: new Map([
      [BUILD_OLD, kernelNames({ functions: ['security_file_open'] })],
      [BUILD_NEW, kernelNames()],
    ]),
  });
  // An object from before there was a webhook.
  await admin.create(POLICIES, null, { metadata: { name: 'grandfather' }, spec: { nonsense: true } });
  port = await freePort();
  const healthPort = await freePort();
  probes = `http://127.0.0.1:${healthPort}`;
  const configuration = (await manifestsIn('config/admission')).map((manifest) =>
    withWebhookAddress(manifest, `https://127.0.0.1:${port}`),
  );
  await api.kubectl.apply(manifestText(configuration));
  const identity = await api.identity('palisade-webhook');
  const hubToken = path.join(api.folder, 'hub-token');
  await writeFile(hubToken, (await admin.requestToken({ namespace: NAMESPACE, name: 'palisade-webhook' }, ['palisade-hub'], 3_600)).token);
  webhook = api.processes.start({
    name: 'palisade-webhook',
    onEnd: 'restart',
    argv: [
      process.execPath,
      path.join(import.meta.dirname, '../../src/webhook/main.ts'),
      `--kubeconfig=${identity.kubeconfigFile}`,
      `--tls-secret=${NAMESPACE}/${WEBHOOK_TLS_SECRET}`,
      `--hub-url=${hub.url}`,
      `--token-file=${hubToken}`,
      `--listen=127.0.0.1:${port}`,
      `--metrics-listen=127.0.0.1:${healthPort}`,
    ],
  });
}, 300_000);

afterAll(async () => {
  await hub?.close();
  await api?.stop();
});

const readiness = async (): Promise<string> => (await fetch(`${probes}/readyz`)).text();
const metrics = async (): Promise<string> => (await fetch(`${probes}/metrics`)).text();
const untilReady = () =>
  waitUntil('the webhook', async () => ((await fetch(`${probes}/readyz`)).ok ? true : undefined), { timeoutMs: 30_000 });
const untilSubscribed = () =>
  waitUntil('the catalogue', async () => (/palisade_catalogue_age_seconds [0-9]/.test(await metrics()) ? true : undefined), {
    timeoutMs: 30_000,
  });

/** What kubectl prints on standard error when it creates the policy; empty if it did so silently. */
async function refusalOf(policy: object): Promise<string> {
  const created = api.kubectl.run(['create', '-f', '-'], JSON.stringify(policy));
  return created.then(
    () => '',
    (error: unknown) => String(error),
  );
}

describe('before there is a certificate', () => {
  test('the webhook lives, and says what it waits for', async () => {
    await waitUntil('probes', async () => ((await fetch(`${probes}/healthz`)).ok ? true : undefined), { timeoutMs: 30_000 });
    expect(await readiness()).toContain('secret palisade-system/palisade-webhook-tls holds no certificate yet');
  });

  test('new policies are refused and old ones keep their labels', async () => {
    expect(await refusalOf(goodPolicy())).toContain('failed calling webhook "policies.palisade.dev"');
    await api.kubectl.run(['label', 'tracingpolicy', 'grandfather', 'team=a']);
  });
});

describe('with certificate and authority from the controller', () => {
  test('the controller may write both with its own rights, and the webhook serves', async () => {
    const material = await leaf('palisade-webhook', ['palisade-webhook.palisade-system.svc']);
    await controller.create(SECRETS, NAMESPACE, { metadata: { name: WEBHOOK_TLS_SECRET }, ...tlsSecretContent(material) });
    const caBundle = Buffer.from(authority.certificatePem).toString('base64');
    const patch = { metadata: { name: 'palisade' }, webhooks: [{ name: 'policies.palisade.dev', clientConfig: { caBundle } }] };
    await controller.apply(VALIDATING_WEBHOOK_CONFIGURATIONS, { namespace: null, name: 'palisade' }, patch, {
      fieldManager: 'palisade-ca',
    });
    await untilReady();
    await untilSubscribed();
    expect(await metrics()).toMatch(/palisade_certificate_expiry_seconds\{name="webhook"\} 8\d{4}/);
  });

  test('applying the configuration again leaves the authority alone', async () => {
    const configuration = (await manifestsIn('config/admission')).map((manifest) =>
      withWebhookAddress(manifest, `https://127.0.0.1:${port}`),
    );
    await api.kubectl.run(['apply', '--server-side', '-f', '-'], manifestText(configuration));
    expect(
      await api.kubectl.run(['get', 'validatingwebhookconfiguration', 'palisade', '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}']),
    ).not.toBe('');
  });

  test('the hub was given the token of the webhook, meant for it alone', async () => {
    const review = await controller.reviewToken(hub.tokens[0] ?? '', ['palisade-hub']);
    expect(review.username).toBe(`system:serviceaccount:${NAMESPACE}:palisade-webhook`);
    expect((await controller.reviewToken(hub.tokens[0] ?? '', [])).isAuthenticated).toBe(false);
  });
});

describe('what kubectl shows', () => {
  test('nothing, for a policy that is right', async () => {
    expect(await refusalOf(goodPolicy())).toBe('');
  });

  test('the field and what would be right, for a misspelt field', async () => {
    const text = await refusalOf({ ...goodPolicy(), metadata: { name: 'typo' }, spec: { lsmhook: [] } });
    process.stdout.write(`    · ${text}\n`);
    expect(text).toContain('spec.lsmhook: unknown field "lsmhook"; did you mean "lsmhooks"?');
  });

  test('several problems at once', async () => {
    const text = await refusalOf({ ...goodPolicy(), metadata: { name: 'two' }, spec: { kprobs: [], lsmhook: [] } });
    process.stdout.write(`    · ${text}\n`);
    expect(text).toContain('spec.kprobs: unknown field');
    expect(text).toContain('spec.lsmhook: unknown field');
  });

  test('the nearest name, for a function that no node has', async () => {
    const text = await refusalOf({ ...watching('security_file_opn'), metadata: { name: 'unknown' } });
    process.stdout.write(`    · ${text}\n`);
    expect(text).toContain('spec.kprobes[0].call: no node has function "security_file_opn" (2 kernel builds');
    expect(text).toContain('did you mean "security_file_open"?');
  });

  test('a warning, for a function that one of two nodes has', async () => {
    const policy = JSON.stringify({ ...watching('tcp_connect'), metadata: { name: 'some' } });
    const { stderr } = await runCommand([`${api.binaries}/kubectl`, '--kubeconfig', api.controlPlane.kubeconfigFile, 'create', '-f', '-'], {
      input: policy,
    });
    process.stdout.write(`    · ${stderr}`);
    expect(stderr).toContain('Warning: spec.kprobes[0].call: "tcp_connect" does not exist on 1 of 2 nodes');
  });

  test('the refusal of an edit, while labels of the same policy may change', async () => {
    const edit = api.kubectl.run([
      'patch',
      'tracingpolicy',
      'guard',
      '--type=merge',
      '-p',
      '{"spec":{"options":[{"name":"nonsense","value":"x"}]}}',
    ]);
    await expect(edit).rejects.toThrow('spec.options[0].name');
    await api.kubectl.run(['label', 'tracingpolicy', 'guard', 'team=a']);
  });

  test('the same refusal for a dry run', async () => {
    const dry = api.kubectl.run(
      ['create', '--dry-run=server', '-f', '-'],
      JSON.stringify({ ...goodPolicy(), metadata: { name: 'dry' }, spec: {} }),
    );
    await expect(dry).rejects.toThrow('[NoHooks]');
    expect(await metrics()).toMatch(/palisade_admission_seconds_count\{kind="TracingPolicy",allowed="false",dry_run="true"\} 1/);
    expect(await metrics()).toMatch(/palisade_admission_problems_total\{rule="NoHooks"\} 1/);
  });

  test('a policy of megabytes is answered, not timed out', async () => {
    const values = Array.from({ length: 20_000 }, (_, index) => `/very/long/path/to/some/file/number/${index}`);
    const selector = { matchArgs: [{ index: 0, operator: 'Equal', values }] };
    const startMs = performance.now();
    const text = await refusalOf({
      ...goodPolicy(),
      metadata: { name: 'large' },
      spec: { lsmhooks: [{ hook: 'file_open', args: [{ index: 0, type: 'file' }], selectors: [selector] }] },
    });
    process.stdout.write(`    · ${Math.round(performance.now() - startMs)} ms: ${text.slice(0, 200)}\n`);
    expect(text).not.toContain('failed calling webhook');
  });
});

describe('the webhook survives', () => {
  test('a lost hub, and does not fetch names again', async () => {
    const before = hub.had.length;
    hub.drop();
    await waitUntil('another subscription', async () => (hub.had.length > before ? true : undefined), { timeoutMs: 10_000 });
    expect([...(hub.had.at(-1) ?? [])].toSorted()).toEqual([BUILD_OLD, BUILD_NEW]);
  });

  test('a new certificate, without a refused request', async () => {
    const material = await leaf('palisade-webhook', ['palisade-webhook.palisade-system.svc']);
    const { metadata } = await admin.get(SECRETS, { namespace: NAMESPACE, name: WEBHOOK_TLS_SECRET });
    const patch = { metadata: { resourceVersion: metadata.resourceVersion }, data: tlsSecretContent(material).data };
    await controller.mergePatch(SECRETS, { namespace: NAMESPACE, name: WEBHOOK_TLS_SECRET }, patch, {
      fieldManager: 'palisade-controller',
    });
    await waitUntil('the reload', async () => (/certificate_reloads_total\{result="ok"\} 2/.test(await metrics()) ? true : undefined), {
      timeoutMs: 20_000,
    });
    expect(await refusalOf({ ...goodPolicy(), metadata: { name: 'after-reload' } })).toBe('');
  });

  test('kill -9: creations fail closed, then work again without help', async () => {
    process.kill(webhook.pid() ?? 0, 'SIGKILL');
    expect(await refusalOf({ ...goodPolicy(), metadata: { name: 'meanwhile' } })).toContain('failed calling webhook');
    await waitUntil(
      'the restart',
      async () => ((await refusalOf({ ...goodPolicy(), metadata: { name: 'recovered' } })) === '' ? true : undefined),
      { timeoutMs: 20_000 },
    );
  });

  test('SIGTERM: it answers what it was asked and ends', async () => {
    await untilReady();
    const pid = webhook.pid() ?? 0;
    process.kill(pid, 'SIGTERM');
    await waitUntil('the end', async () => (webhook.pid() === pid ? undefined : true), { timeoutMs: 10_000 });
    expect(await webhook.logTail()).toContain('"Stopped"');
  });
});
