import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeClock } from '../telemetry/testing/fake-clock.ts';
import { loadAccess, TOKEN_REFRESH_MS } from './credentials.ts';

let folder: string;
const clock = createFakeClock();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-credentials-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function kubeconfig(user: object, cluster: object = {}): Promise<string> {
  const file = join(folder, 'kubeconfig');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(file, JSON.stringify(content));
  return file;
}

const access = (kubeconfigFile: string) => loadAccess({ clock, kubeconfigFile });

test('a token is sent as it is', async () => {
  expect(await access(await kubeconfig({ token: 'abc' })).headers()).toEqual({ authorization: 'Bearer abc' });
});

test('a token file is read again when it may have changed', async () => {
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'first\n');
  const loaded = access(await kubeconfig({ tokenFile }));
  expect(await loaded.headers()).toEqual({ authorization: 'Bearer first' });
  await writeFile(tokenFile, 'second\n');
  expect(await loaded.headers()).toEqual({ authorization: 'Bearer first' });
  await clock.advance(TOKEN_REFRESH_MS);
  expect(await loaded.headers()).toEqual({ authorization: 'Bearer second' });
});

test('a token file that is gone or empty is an error that names it', async () => {
  const tokenFile = join(folder, 'token');
  const loaded = access(await kubeconfig({ tokenFile }));
  await expect(loaded.headers()).rejects.toMatchObject({ code: 'Credentials', message: expect.stringContaining(tokenFile) });
  await writeFile(tokenFile, ' \n');
  await expect(loaded.headers()).rejects.toMatchObject({ code: 'Credentials', message: expect.stringContaining('empty') });
});

test('certificates and names go to the TLS options', async () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const file = await kubeconfig(
    { 'client-certificate-data': base64('cert'), 'client-key-data': base64('key') },
    { 'certificate-authority-data': base64('ca'), 'tls-server-name': 'kubernetes' },
  );
  const loaded = access(file);
  expect(loaded.url.host).toBe('api.example:6443');
  expect(loaded.tls).toEqual({ ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key'), servername: 'kubernetes' });
  expect(await loaded.headers()).toEqual({});
});

test('a file that cannot be read, and a proxy that would be ignored, are errors', async () => {
  expect(() => access(join(folder, 'missing'))).toThrow(/missing: could not be read/);
  const file = await kubeconfig({}, { 'proxy-url': 'http://proxy' });
  expect(() => access(file)).toThrow('proxy-url is not supported');
});
