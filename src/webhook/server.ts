import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { fastify, type FastifyReply } from 'fastify';
import type { TlsMaterial } from '../kube/certificates/tls-secret.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { ListenAddress } from '../telemetry/listen-address.ts';
import type { Log } from '../telemetry/log.ts';
import { SECONDS_BUCKETS, type Metrics } from '../telemetry/metrics.ts';
import { admissionReviewSchema, envelope, type AdmissionRequest } from './review/admission-review.ts';
import type { Review } from './review/review.ts';

export type AdmissionServerOptions = {
  readonly material: TlsMaterial;
  readonly listen: ListenAddress;
  readonly review: (request: AdmissionRequest) => Review;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

export type AdmissionServer = {
  readonly address: ListenAddress;
  /** For new connections. Throws when certificate and key do not fit, and goes on with the old pair. */
  setCertificate(material: TlsMaterial): void;
  /** Answers what is under way, and ends. */
  close(): Promise<void>;
};

export const REVIEW_PATH = '/admission';

/** The API server's own limit for objects. */
const MAX_BODY_BYTES = 3 << 20;
/** Requests under way, bodies being read included; further ones get 429. */
const MAX_IN_FLIGHT = 16;
/** From the first byte to the last of a request; the API server gives up after five seconds. */
const REQUEST_MS = 3_000;

/** The HTTPS side of the webhook: reads requests, has them decided, answers. */
export async function startAdmissionServer(options: AdmissionServerOptions): Promise<AdmissionServer> {
  const { log } = options;
  const meter = createMeter(options);
  const app = fastify({
    https: secureOptions(options.material),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    // Longer than the API server keeps an idle connection, so that it is not closed under a request.
    keepAliveTimeout: 100_000,
    forceCloseConnections: 'idle',
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const decide = (body: unknown, reply: FastifyReply): FastifyReply => {
    const startMs = options.clock.monotonicMs();
    const parsed = admissionReviewSchema.safeParse(parseBody(body));
    if (!parsed.success) {
      meter.failed('malformed');
      return reply.code(400).send('the body is no AdmissionReview of admission.k8s.io/v1');
    }
    const { request } = parsed.data;
    const { response, rules } = options.review(request);
    meter.decided(request, response.allowed, rules, options.clock.monotonicMs() - startMs);
    if (!response.allowed) {
      const { kind, namespace, name } = request;
      log.info('Refused a policy', { kind: kind.kind, namespace, name, rules: [...new Set(rules)], dryRun: request.dryRun });
    }
    return reply.code(200).send(envelope(response));
  };

  let inFlight = 0;
  app.addHook('onRequest', (_request, reply, done) => {
    inFlight += 1;
    // `close` comes for every answer, those that the client did not wait for included.
    reply.raw.once('close', () => {
      inFlight -= 1;
    });
    if (inFlight > MAX_IN_FLIGHT) {
      meter.failed('busy');
      void reply.code(429).header('retry-after', '1').send('too many requests at once; try again');
      return;
    }
    done();
  });
  app.post(REVIEW_PATH, (request, reply) => decide(request.body, reply));
  app.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    meter.failed(status < 500 ? 'malformed' : 'internal');
    log.error('Could not answer an admission request', { error });
    return reply.code(status).send(status < 500 ? 'the request cannot be read' : 'internal error');
  });

  await app.listen({ host: options.listen.host, port: options.listen.port });
  const bound = app.server.address();
  const address = bound === null || typeof bound === 'string' ? options.listen : { host: bound.address, port: bound.port };
  return {
    address,
    setCertificate: (material) => app.server.setSecureContext(secureOptions(material)),
    close: () => app.close(),
  };
}

/** One function for creation and reload: what `setSecureContext` is not told again falls back to Node's defaults, TLS 1.2 among them. */
function secureOptions(material: TlsMaterial): SecureContextOptions & Pick<TlsOptions, 'minVersion'> {
  return { cert: material.certificatePem, key: material.privateKeyPem, minVersion: 'TLSv1.3' };
}

function parseBody(body: unknown): unknown {
  try {
    return Buffer.isBuffer(body) ? JSON.parse(body.toString('utf8')) : undefined;
  } catch {
    return undefined;
  }
}

/** Fastify's own errors (body too large, wrong type) carry a status. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  return status >= 400 && status < 600 ? status : 500;
}

function createMeter({ metrics }: AdmissionServerOptions) {
  const seconds = metrics.histogram('admission_seconds', 'Time of decisions.', SECONDS_BUCKETS, ['kind', 'allowed', 'dry_run']);
  const problems = metrics.counter('admission_problems_total', 'What was wrong or warned about.', ['rule']);
  const failures = metrics.counter('admission_failures_total', 'Requests that were not decided.', ['cause']);
  const KINDS = new Set(['TracingPolicy', 'TracingPolicyNamespaced']);
  return {
    decided: (request: AdmissionRequest, isAllowed: boolean, rules: readonly string[], durationMs: number): void => {
      const kind = KINDS.has(request.kind.kind) ? request.kind.kind : 'other';
      seconds.observe({ kind, allowed: String(isAllowed), dry_run: String(request.dryRun) }, durationMs / 1_000);
      for (const rule of rules) {
        problems.inc({ rule });
      }
    },
    failed: (cause: 'busy' | 'malformed' | 'internal'): void => failures.inc({ cause }),
  };
}
