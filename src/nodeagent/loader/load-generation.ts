/** Sends one generation to the loader: BEGIN … COMMIT, or ABORT and what went wrong. */
import { diffNodes, type HookChange } from '../../linker/diff.ts';
import type { LinkPod } from '../../linker/link-input.ts';
import type { LinkedHook, LinkedNode } from '../../linker/linked-node.ts';
import type { LoaderResult } from '../../protocol/loader-frames.ts';
import {
  ABORT_REQUEST,
  beginRequest,
  COMMIT_REQUEST,
  dataRequests,
  hookRequest,
  nodeRequests,
  scopeDataRequests,
  shareRequest,
} from './generation-requests.ts';
import type { HookAnswer, LoaderClient } from './loader-client.ts';
import { LoaderRefusal } from './loader-error.ts';

export type GenerationParts = {
  readonly client: LoaderClient;
  readonly generation: number;
  /** What the loader runs now; null: not known, then every hook is sent. */
  readonly previous: LinkedNode | null;
  readonly next: LinkedNode;
  /** One pod of each scope class; asked for just before the flip. */
  readonly classPods: () => ReadonlyMap<number, LinkPod>;
  /** Called between requests: pods that came meanwhile are not to wait for the verifier. */
  readonly betweenRequests: () => Promise<void>;
};

export type GenerationResult =
  | { readonly ok: true; readonly answers: ReadonlyMap<number, HookAnswer>; readonly flipKtimeNs: bigint }
  /** `hook` is null when no hook is to blame. */
  | {
      readonly ok: false;
      readonly hook: LinkedHook | null;
      readonly step: 'begin' | 'hook' | 'data' | 'node' | 'commit';
      readonly result: LoaderResult;
    };

/** Throws LoaderUnavailableError only; every refusal is a result, and then nothing has changed in the kernel. */
export async function loadGeneration(parts: GenerationParts): Promise<GenerationResult> {
  const { client, next } = parts;
  const at: { hook: LinkedHook | null; step: Extract<GenerationResult, { ok: false }>['step'] } = { hook: null, step: 'begin' };
  const answers = new Map<number, HookAnswer>();
  try {
    await client.send(beginRequest(parts.generation, next.label));
    const changes = diffNodes(parts.previous, next);
    for (const change of changes) {
      at.hook = change.hook;
      at.step = 'hook';
      const answer = await sendHook(client, change, () => (at.step = 'data'));
      if (answer !== null) answers.set(change.hook.id, answer);
      await parts.betweenRequests();
    }
    at.hook = null;
    at.step = 'node';
    for (const request of nodeRequests(next.binarySets)) await client.send(request);
    await parts.betweenRequests();
    const pods = parts.classPods();
    for (const { hook, send } of changes) {
      if (send === 'SHARE') continue;
      at.hook = hook;
      at.step = 'data';
      for (const request of scopeDataRequests(hook, pods)) await client.send(request);
    }
    at.hook = null;
    at.step = 'commit';
    const { flipKtimeNs } = await client.commit(COMMIT_REQUEST);
    return { ok: true, answers, flipKtimeNs };
  } catch (error) {
    if (!(error instanceof LoaderRefusal)) throw error;
    if (at.step !== 'begin') await abortGeneration(client);
    return { ok: false, hook: at.hook, step: at.step, result: error.result };
  }
}

/**
 * Whether one hook loads, without making anything active: the way to find out whose selectors the verifier does not like. Null: it does.
 */
export async function tryHook(client: LoaderClient, generation: number, node: LinkedNode, hook: LinkedHook): Promise<LoaderResult | null> {
  try {
    await client.send(beginRequest(generation, node.label));
    await sendHook(client, { hook, send: 'HOOK' }, () => undefined);
    await abortGeneration(client);
    return null;
  } catch (error) {
    if (!(error instanceof LoaderRefusal)) throw error;
    await abortGeneration(client);
    return error.result;
  }
}

async function sendHook(client: LoaderClient, { hook, send }: HookChange, onData: () => void): Promise<HookAnswer | null> {
  if (send === 'SHARE') {
    await client.send(shareRequest(hook));
    return null;
  }
  const answer = await client.hook(hookRequest(hook));
  onData();
  for (const request of dataRequests(hook)) await client.send(request);
  return answer;
}

/** A loader that refuses to abort has nothing begun. */
export async function abortGeneration(client: LoaderClient): Promise<void> {
  try {
    await client.send(ABORT_REQUEST);
  } catch (error) {
    if (!(error instanceof LoaderRefusal)) throw error;
  }
}
