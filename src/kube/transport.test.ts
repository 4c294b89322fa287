import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../telemetry/clock.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createKubeClient, type KubeClient } from './client.ts';
import type { KubeError } from './kube-error.ts';
import { NODES, PODS } from './resource-type.ts';
import { createTransport, type KubeTransport } from './transport.ts';

type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: unknown };

let server: Server;
let transport: KubeTransport;
let client: KubeClient;
let metrics: Metrics;
let seen: Seen[];
let respond: (request: IncomingMessage, response: ServerResponse) => void;

const POD = { metadata: { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '1', managedFields: [{ manager: 'x' }] } };

beforeEach(async () => {
  seen = [];
  respond = (_request, response) => send(response, 200, POD);
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: text === '' ? undefined : JSON.parse(text) });
      respond(request, response);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  metrics = createMetrics();
  const access = { url: new URL(`http://127.0.0.1:${port}/behind/`), tls: {}, headers: async () => ({ authorization: 'Bearer secret' }) };
  transport = createTransport({ access, clock: systemClock, metrics, userAgent: 'palisade-test' });
  client = createKubeClient(transport);
});

afterEach(async () => {
  await transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const ref = { namespace: 'ns', name: 'a' };
const failureOf = (call: Promise<unknown>): Promise<KubeError> =>
  call.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error: KubeError) => error,
  );

describe('a call', () => {
  test('carries token, agent and path, and drops managedFields on arrival', async () => {
    const pod = await client.get(PODS, ref);
    expect(seen[0]).toMatchObject({ method: 'GET', url: '/behind/api/v1/namespaces/ns/pods/a' });
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer secret', 'user-agent': 'palisade-test' });
    expect(pod.metadata).not.toHaveProperty('managedFields');
  });

  test('of server-side apply says so, names its manager, and takes over conflicts', async () => {
    await client.apply(PODS, ref, { status: {} }, { fieldManager: 'palisade-controller', subresource: 'status' });
    expect(seen[0]?.url).toBe('/behind/api/v1/namespaces/ns/pods/a/status?fieldManager=palisade-controller&force=true');
    expect(seen[0]?.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(seen[0]?.body).toMatchObject({ apiVersion: 'v1', kind: 'Pod', status: {} });
  });

  test('of deletion carries its preconditions', async () => {
    await client.remove(PODS, ref, { uid: 'u' });
    expect(seen[0]).toMatchObject({ method: 'DELETE', body: { preconditions: { uid: 'u' } } });
  });

  test('quotes names that would be other paths', async () => {
    await client.get(PODS, { namespace: '../../x', name: '?a=b' });
    expect(seen[0]?.url).toBe('/behind/api/v1/namespaces/..%2F..%2Fx/pods/%3Fa%3Db');
  });

  test('for a namespaced object needs a namespace', async () => {
    await expect(client.get(PODS, { namespace: null, name: 'a' })).rejects.toThrow('needs a namespace');
    await expect(client.get(NODES, { namespace: null, name: 'a' })).resolves.toBeDefined();
  });
});

describe('a failure', () => {
  test.each([
    [400, '', 'BadRequest'],
    [401, '', 'Unauthorized'],
    [403, '', 'Forbidden'],
    [404, '', 'NotFound'],
    [409, 'AlreadyExists', 'AlreadyExists'],
    [409, 'Conflict', 'Conflict'],
    [410, 'Expired', 'Expired'],
    [422, '', 'Invalid'],
    [429, '', 'TooManyRequests'],
    [500, '', 'ServerError'],
    [503, '', 'ServerError'],
  ])('%i %s is %s', async (status, reason, code) => {
    respond = (_request, response) => send(response, status, { kind: 'Status', code: status, reason, message: 'because' });
    const error = await failureOf(client.get(PODS, ref));
    expect(error).toMatchObject({ code, status, message: 'because' });
    expect(await metrics.text()).toContain(`kube_requests_total{verb="get",result="${code}"} 1`);
  });

  test('says how long the server asks to wait, within bounds', async () => {
    respond = (_request, response) => send(response, 429, {}, { 'retry-after': '3' });
    expect((await failureOf(client.get(PODS, ref))).retryAfterMs).toBe(3_000);
    respond = (_request, response) => send(response, 429, {}, { 'retry-after': '99999999' });
    expect((await failureOf(client.get(PODS, ref))).retryAfterMs).toBe(300_000);
    respond = (_request, response) => send(response, 429, { details: { retryAfterSeconds: 2 } });
    expect((await failureOf(client.get(PODS, ref))).retryAfterMs).toBe(2_000);
  });

  test('of a proxy that speaks HTML is told by its status', async () => {
    respond = (_request, response) => send(response, 502, '<html>');
    expect(await failureOf(client.get(PODS, ref))).toMatchObject({ code: 'ServerError', message: 'HTTP 502' });
  });

  test('of an answer that is no JSON, or no object, is Malformed', async () => {
    respond = (_request, response) => send(response, 200, 'garbage');
    expect((await failureOf(client.get(PODS, ref))).code).toBe('Malformed');
    respond = (_request, response) => send(response, 200, { metadata: {} });
    expect((await failureOf(client.get(PODS, ref))).code).toBe('Malformed');
  });

  test('of a server that does not answer is a Timeout', async () => {
    respond = () => {};
    expect((await failureOf(client.get(PODS, ref, { timeoutMs: 30 }))).code).toBe('Timeout');
  });

  test('of a connection that breaks is Transport', async () => {
    respond = (request) => request.socket.destroy();
    expect((await failureOf(client.get(PODS, ref))).code).toBe('Transport');
  });

  test('by the caller is Aborted', async () => {
    respond = () => {};
    const stopper = new AbortController();
    const failure = failureOf(client.get(PODS, ref, { signal: stopper.signal }));
    stopper.abort();
    expect((await failure).code).toBe('Aborted');
  });
});
