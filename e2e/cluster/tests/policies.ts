import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import * as z from 'zod';
import { CommandFailed } from '../../host/command.ts';
import { waitUntil } from '../wait-until.ts';
import { kubectl } from './cluster-under-test.ts';

const examples = path.join(import.meta.dirname, '../../../examples');

/** What of a policy the tests look at. */
const policySchema = z.object({
  metadata: z.object({ name: z.string(), uid: z.string(), generation: z.number() }),
  status: z.looseObject({
    observedGeneration: z.number().optional(),
    mode: z.string().optional(),
    digest: z.string().optional(),
    loaded: z.string().optional(),
    enforcing: z.string().optional(),
    conditions: z
      .array(
        z.object({
          type: z.string(),
          status: z.string(),
          reason: z.string(),
          message: z.string().optional(),
          observedGeneration: z.number().optional(),
        }),
      )
      .default([]),
    nodes: z.record(z.string(), z.number()).default({}),
    failures: z
      .array(
        z.looseObject({
          reason: z.string(),
          hook: z.string().optional(),
          nodes: z.number(),
          sampleNodes: z.array(z.string()).optional(),
          message: z.string().optional(),
        }),
      )
      .default([]),
    activity: z.record(z.string(), z.unknown()).default({}),
  }),
});

export type PolicyObject = z.infer<typeof policySchema>;
export type Condition = PolicyObject['status']['conditions'][number];

/** A policy by its name; with a namespace, of the namespaced kind. */
export type PolicyRef = { readonly name: string; readonly namespace?: string };

function resource(ref: PolicyRef): string[] {
  return ref.namespace === undefined ? [`tracingpolicy/${ref.name}`] : [`tracingpolicynamespaced/${ref.name}`, '-n', ref.namespace];
}

export async function getPolicy(ref: PolicyRef): Promise<PolicyObject> {
  return policySchema.parse(await kubectl.json(['get', ...resource(ref)]));
}

export function conditionOf(policy: PolicyObject, type: string): Condition | undefined {
  return policy.status.conditions.find((condition) => condition.type === type);
}

/** Applies an example as a user does. */
export async function applyExample(file: string): Promise<void> {
  await kubectl.run(['apply', '-f', path.join(examples, file)]);
}

export function readExample(file: string): Promise<string> {
  return readFile(path.join(examples, file), 'utf8');
}

/** A policy of the given kind with the given spec, as text. */
export function policyText(ref: PolicyRef, spec: object): string {
  const kind = ref.namespace === undefined ? 'TracingPolicy' : 'TracingPolicyNamespaced';
  return stringify({ apiVersion: 'cilium.io/v1alpha1', kind, metadata: ref, spec });
}

export async function applyPolicy(ref: PolicyRef, spec: object): Promise<void> {
  await kubectl.run(['apply', '-f', '-'], policyText(ref, spec));
}

/** What the API server answers to a policy that must be refused; fails when it is accepted. */
export async function refusalOf(text: string): Promise<string> {
  try {
    await kubectl.run(['create', '-f', '-'], text);
  } catch (error) {
    if (error instanceof CommandFailed) return error.stderr.trim();
    throw error;
  }
  throw new Error(`the API server accepted what it must refuse:\n${text}`);
}

/** Waits until a condition of the policy, for its present generation, is as asked; returns the policy and the time it took. */
export async function untilCondition(
  ref: PolicyRef,
  type: string,
  status: 'True' | 'False',
  timeoutMs = 60_000,
): Promise<{ policy: PolicyObject; tookMs: number }> {
  const startedMs = performance.now();
  let last = '';
  try {
    const policy = await waitUntil(
      `${ref.name} ${type}=${status}`,
      async () => {
        const policy = await getPolicy(ref);
        const condition = conditionOf(policy, type);
        last = JSON.stringify(policy.status, null, 1);
        return condition?.status === status && policy.status.observedGeneration === policy.metadata.generation ? policy : undefined;
      },
      { timeoutMs, everyMs: 150 },
    );
    return { policy, tookMs: performance.now() - startedMs };
  } catch (error) {
    throw new Error(`${ref.name}: ${type} is not ${status}; its status is ${last}`, { cause: error });
  }
}

export async function untilReady(ref: PolicyRef, timeoutMs?: number): Promise<{ policy: PolicyObject; tookMs: number }> {
  return untilCondition(ref, 'Ready', 'True', timeoutMs);
}

export async function deletePolicy(ref: PolicyRef): Promise<void> {
  await kubectl.run(['delete', ...resource(ref), '--ignore-not-found']);
}
