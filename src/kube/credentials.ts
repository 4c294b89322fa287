import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
// The package's entry point also loads every generated API class (half a second, tens of MiB); this file alone is what is needed. The
// version is pinned exactly in package.json, so the path cannot move unnoticed.
import { bufferFromFileOrString, KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { User } from '@kubernetes/client-node/dist/config_types.js';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Clock } from '../telemetry/clock.ts';
import { KubeError } from './kube-error.ts';
import { readTokenFile } from './token-file.ts';

/** What is needed to open connections to one API server. */
export type ApiServerAccess = {
  /** `https://host:port`, with a path where the server sits behind one. */
  readonly url: URL;
  readonly tls: ApiServerTls;
  /** Headers that authenticate a request; asked before each, so a rotated token is used within TOKEN_REFRESH_MS. */
  headers(): Promise<Readonly<Record<string, string>>>;
};

export type ApiServerTls = {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
};

export type AccessOptions = {
  readonly clock: Clock;
  /** Null: $KUBECONFIG, ~/.kube/config, or the ServiceAccount of the pod. */
  readonly kubeconfigFile: string | null;
};

/** A projected token is replaced at 80 % of its life; reading it this often is enough. */
export const TOKEN_REFRESH_MS = 10_000;

/** Reads kubeconfig or the pod's ServiceAccount. Throws a KubeError of code `Credentials` that names the file. */
export function loadAccess(options: AccessOptions): ApiServerAccess {
  const config = readConfig(options.kubeconfigFile);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null || user === null) {
    throw new KubeError('Credentials', `${sourceOf(options)}: the current context names no cluster or no user`);
  }
  if (isSet(cluster.proxyUrl)) {
    throw new KubeError('Credentials', `${sourceOf(options)}: proxy-url is not supported`);
  }
  const tokenFile = tokenFileOf(user) ?? tokenFileOfKubeconfig(options.kubeconfigFile, user.name);
  return {
    url: new URL(cluster.server),
    tls: withoutUndefined({
      ca: material(cluster.caFile, cluster.caData),
      cert: material(user.certFile, user.certData),
      key: material(user.keyFile, user.keyData),
      servername: cluster.tlsServerName,
      rejectUnauthorized: cluster.skipTLSVerify ? false : undefined,
    }),
    headers: cached(options.clock, () => headersOf(config, user, tokenFile)),
  };
}

function readConfig(file: string | null): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file === null) {
      config.loadFromDefault();
    } else {
      config.loadFromFile(file);
    }
  } catch (cause) {
    throw new KubeError('Credentials', `${file ?? 'kubeconfig'}: could not be read: ${String(cause)}`, { cause });
  }
  return config;
}

function sourceOf(options: AccessOptions): string {
  return options.kubeconfigFile ?? 'kubeconfig';
}

/** Null comes from the client library where a kubeconfig leaves something out. */
function isSet(text: string | null | undefined): text is string {
  return typeof text === 'string' && text !== '';
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function material(file: string | undefined, data: string | undefined): Buffer | undefined {
  return bufferFromFileOrString(file, data) ?? undefined;
}

function withoutUndefined(tls: { [Key in keyof ApiServerTls]: ApiServerTls[Key] | undefined }): ApiServerTls {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}

/** Token, token file and basic authentication are read here; exec plugins and OIDC are left to the client library. */
async function headersOf(config: KubeConfig, user: User, tokenFile: string | undefined): Promise<Readonly<Record<string, string>>> {
  if (tokenFile !== undefined) {
    return bearer(await readTokenFile(tokenFile));
  }
  if (isSet(user.token)) {
    return bearer(user.token);
  }
  if (isSet(user.username)) {
    return { authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}` };
  }
  if (!isGiven(user.exec) && !isGiven(user.authProvider)) {
    return {};
  }
  const options: RequestOptions = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw new KubeError('Credentials', `the kubeconfig's exec plugin or auth provider failed: ${String(cause)}`, { cause });
  }
  return stringHeaders(options.headers);
}

function tokenFileOf(user: User): string | undefined {
  const file: unknown = user.authProvider?.config?.tokenFile;
  return typeof file === 'string' ? file : undefined;
}

const usersSchema = z.object({
  users: z.array(z.object({ name: z.string(), user: z.looseObject({ tokenFile: z.string().optional() }).nullish() })).default([]),
});

/** The client library forgets `tokenFile` of a kubeconfig's user (and reads its own `token-file` once only). */
function tokenFileOfKubeconfig(file: string | null, userName: string): string | undefined {
  if (file === null) {
    return undefined;
  }
  const content = usersSchema.safeParse(parse(readFileSync(file, 'utf8')));
  return content.data?.users.find((entry) => entry.name === userName)?.user?.tokenFile;
}

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

function stringHeaders(headers: unknown): Readonly<Record<string, string>> {
  const entries = typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function cached<Value>(clock: Clock, read: () => Promise<Value>): () => Promise<Value> {
  let last: { readonly atMs: number; readonly value: Value } | undefined;
  return async () => {
    if (last === undefined || clock.monotonicMs() - last.atMs >= TOKEN_REFRESH_MS) {
      last = { atMs: clock.monotonicMs(), value: await read() };
    }
    return last.value;
  };
}
