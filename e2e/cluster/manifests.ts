import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';

const root = path.join(import.meta.dirname, '../..');

/** An object of the API as a manifest has it. */
export type Manifest = Record<string, unknown>;

function isManifest(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All objects in the manifests of a folder of this repository, in the order of their files' names. */
export async function manifestsIn(folder: string): Promise<Manifest[]> {
  const names = await readdir(path.join(root, folder)).catch(() => []);
  const files = names.filter((name) => /\.ya?ml$/.test(name)).toSorted();
  const texts = await Promise.all(files.map((name) => readFile(path.join(root, folder, name), 'utf8')));
  return texts.flatMap((text) => parseAllDocuments(text).map((document): unknown => document.toJS())).filter(isManifest);
}

export function manifestText(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => stringify(manifest)).join('---\n');
}

function mapValue(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item: unknown) => mapValue(item, change));
  return isManifest(value) ? mapStrings(value, change) : value;
}

/** Changes every string in an object, wherever it stands. */
export function mapStrings(manifest: Manifest, change: (text: string) => string): Manifest {
  return Object.fromEntries(Object.entries(manifest).map(([key, item]) => [key, mapValue(item, change)]));
}

/** A webhook that runs beside the API server is named by an address instead of a Service; its path and authority stay. */
export function withWebhookAddress(manifest: Manifest, base: string): Manifest {
  const webhooks = manifest['webhooks'];
  if (!Array.isArray(webhooks)) return manifest;
  const changed = webhooks.filter(isManifest).map((webhook) => {
    const client = isManifest(webhook['clientConfig']) ? webhook['clientConfig'] : {};
    const service = isManifest(client['service']) ? client['service'] : {};
    const { service: _service, ...rest } = client;
    const urlPath = typeof service['path'] === 'string' ? service['path'] : '/';
    return { ...webhook, clientConfig: { ...rest, url: `${base}${urlPath}` } };
  });
  return { ...manifest, webhooks: changed };
}

/** Adds flags behind those that the manifest gives the agent. */
export function withAgentFlags(manifest: Manifest, flags: readonly string[]): Manifest {
  const hubUrl = /^--hub-url=/;
  const added = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      const items: unknown[] = value;
      return items.some((item) => typeof item === 'string' && hubUrl.test(item)) ? [...items, ...flags] : items.map((item) => added(item));
    }
    return isManifest(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, added(item)])) : value;
  };
  return Object.fromEntries(Object.entries(manifest).map(([key, item]) => [key, added(item)]));
}
