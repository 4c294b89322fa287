/**
 * Policies through kubernetes-fluent-client: the typed client of these tests, as a program of somebody else would use one. (What people do
 * is tested with kubectl, what our processes do with our own client.) Its habits, and what is made of them here:
 *
 * - `Apply` and `Finalize` send the field manager "pepr", which cannot be changed. So they are no way to write what belongs to a component
 *   of ours; `applyAsForeigner` alone uses it, and says so.
 * - It reads the file that KUBECONFIG names, anew for each call: one identity per process, the administrator's.
 * - A refusal is a response that is thrown as a plain object; here it becomes a `Refusal`.
 * - `Delete` of what is not there succeeds.
 * - Kinds are found by the name of a class. Those below are the shape of our zod schema, not classes made by its generator: those let
 *   every unknown field pass.
 */
import { K8s, type KubernetesObject, RegisterKind } from 'kubernetes-fluent-client';
import { z } from 'zod';
import { GROUP, pluralOf, VERSION } from '../../src/policy/crd/custom-resource.ts';
import type { PolicyKind } from '../../src/policy/plan.ts';
import type { tracingPolicySpec } from '../../src/policy/schema/spec.ts';
import { policyStatus, type PolicyStatus } from '../../src/policy/schema/status.ts';

/** What people write: fields with defaults may be absent. */
export type PolicySpec = z.input<typeof tracingPolicySpec>;

type Metadata = NonNullable<KubernetesObject['metadata']>;

class TracingPolicy implements KubernetesObject {
  declare apiVersion?: string;
  declare kind?: string;
  declare metadata?: Metadata;
  declare spec: PolicySpec;
  declare status?: PolicyStatus;
}

class TracingPolicyNamespaced implements KubernetesObject {
  declare apiVersion?: string;
  declare kind?: string;
  declare metadata?: Metadata;
  declare spec: PolicySpec;
  declare status?: PolicyStatus;
}

const MODELS = { TracingPolicy, TracingPolicyNamespaced } as const satisfies Record<PolicyKind, unknown>;
RegisterKind(TracingPolicy, kindOf('TracingPolicy'));
RegisterKind(TracingPolicyNamespaced, kindOf('TracingPolicyNamespaced'));

const storedPolicy = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string().min(1),
    resourceVersion: z.string(),
    generation: z.int(),
    managedFields: z.array(z.object({ manager: z.string(), operation: z.string(), subresource: z.string().optional() })),
  }),
  // As it is stored: fields that nobody knows are kept.
  spec: z.looseObject({}),
  status: policyStatus.default({}),
});

export type StoredPolicy = z.infer<typeof storedPolicy>;

export type PolicyClient = {
  create(name: string, spec: PolicySpec): Promise<StoredPolicy>;
  get(name: string): Promise<StoredPolicy>;
  list(): Promise<readonly StoredPolicy[]>;
  /** Replaces whole fields of the spec; those that are not named stay. */
  edit(name: string, fields: PolicySpec): Promise<StoredPolicy>;
  label(name: string, labels: Readonly<Record<string, string>>): Promise<StoredPolicy>;
  /** Server-side apply in the name of another product; conflicts are refusals. */
  applyAsForeigner(name: string, spec: PolicySpec): Promise<StoredPolicy>;
  remove(name: string): Promise<void>;
  /** Follows the policy by a watch until it is as wished. */
  until(name: string, isWished: (policy: StoredPolicy) => boolean, options: { readonly timeoutMs: number }): Promise<StoredPolicy>;
};

/** Field manager of `applyAsForeigner`. */
export const FOREIGN_MANAGER = 'pepr';

/** An answer of the API server that is not a success. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(`${code} (${status}): ${message}`);
    this.code = code;
    this.status = status;
  }
}

/** `namespace`: null for the cluster kind. */
export function policyClient(kubeconfigFile: string, namespace: string | null): PolicyClient {
  process.env['KUBECONFIG'] = kubeconfigFile;
  const model = MODELS[namespace === null ? 'TracingPolicy' : 'TracingPolicyNamespaced'];
  const place = namespace === null ? {} : { namespace };
  const all = () => K8s(model, { ...place });
  const one = (name: string) => K8s(model, { ...place, name });
  const stored = async (answer: Promise<unknown>): Promise<StoredPolicy> => storedPolicy.parse(await refusing(answer));
  const object = (name: string, spec: PolicySpec) => ({ metadata: { name, ...place }, spec });
  const patch = (name: string, folder: string, values: object) =>
    stored(one(name).Patch(Object.entries(values).map(([key, value]) => ({ op: 'add', path: `${folder}/${key}`, value }))));

  return {
    create: (name, spec) => stored(all().Create(object(name, spec))),
    get: (name) => stored(all().Get(name)),
    list: async () => z.object({ items: z.array(storedPolicy) }).parse(await refusing(all().Get())).items,
    edit: (name, fields) => patch(name, '/spec', fields),
    label: (name, labels) => patch(name, '/metadata', { labels }),
    applyAsForeigner: (name, spec) => stored(all().Apply(object(name, spec))),
    remove: (name) => refusing(all().Delete(name)),
    until: (name, isWished, { timeoutMs }) =>
      new Promise((resolve, reject) => {
        let last = 'it is not there';
        const watcher = one(name).Watch((update, phase) => {
          const seen = storedPolicy.parse(update);
          last = `${phase.toLowerCase()}, ${JSON.stringify(seen.status)}`;
          if (!isWished(seen)) return;
          end();
          resolve(seen);
        });
        const timer = setTimeout(() => {
          end();
          reject(new Error(`${name}: not within ${timeoutMs / 1000} s; ${last}`));
        }, timeoutMs);
        const end = (): void => {
          clearTimeout(timer);
          watcher.close();
        };
        watcher.start().catch((error: unknown) => {
          end();
          reject(new Error(`${name} cannot be watched`, { cause: error }));
        });
      }),
  };
}

function kindOf(kind: PolicyKind) {
  return { group: GROUP, version: VERSION, kind, plural: pluralOf(kind) };
}

const refusalSchema = z.object({
  status: z.int(),
  statusText: z.string(),
  data: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional().catch(undefined),
});

async function refusing<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    const refusal = refusalSchema.safeParse(thrown);
    if (!refusal.success) throw thrown;
    const { status, statusText, data } = refusal.data;
    throw new Refusal(data?.reason ?? 'Unknown', status, data?.message ?? statusText);
  }
}
