import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOfPlanText } from '../../policy/digest.ts';
import type { Entry } from '../../protocol/hub-frames.ts';
import { setDigest } from '../../protocol/set-digest.ts';
import { PlanStore, type StoredState } from './plan-store.ts';

const TEXT = '{"format":1}';
const DIGEST = digestOfPlanText(TEXT);
const entry: Entry = { uid: 'u', kind: 'TracingPolicy', namespace: null, name: 'p', generation: 1, digest: DIGEST, mode: 'enforce' };
const state: StoredState = { set: setDigest([entry]), epoch: 3, entries: [entry], loaded: { u: DIGEST } };

describe('The plan store', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plans-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const open = async (maxBytes = 1 << 20) => {
    const store = new PlanStore({ folder, maxBytes });
    return { store, ...(await store.open()) };
  };

  test('gives back after a reboot what was put before', async () => {
    const first = await open();
    await first.store.putPlan(DIGEST, TEXT, new Set());
    await first.store.putState(state);
    const second = await open();
    expect(second.problems).toEqual([]);
    expect(second.state).toEqual(state);
    expect(second.store.plan(DIGEST)).toBe(TEXT);
  });

  test('reports and removes a plan whose content is not that of its name', async () => {
    await writeFile(join(folder, `${DIGEST}.plan.json`), '{"format":2}');
    const { store, problems } = await open();
    expect(problems).toMatchObject([{ file: `${DIGEST}.plan.json` }]);
    expect(store.has(DIGEST)).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  });

  test('does not believe a set that is not what its digest says, but keeps what was loaded', async () => {
    const { store } = await open();
    await store.putState({ ...state, set: 'f'.repeat(64) });
    expect(await open()).toMatchObject({ problems: [{ file: 'state.json' }], state: { set: null, entries: [], loaded: { u: DIGEST } } });
  });

  test('makes room by the oldest plans that nobody needs, and says when there is none', async () => {
    const { store } = await open(29);
    const other = '{"format":1,"x":1}';
    await store.putPlan(DIGEST, TEXT, new Set());
    await store.putPlan(digestOfPlanText(other), other, new Set());
    expect(store.has(DIGEST)).toBe(false);
    expect(store.fault).toBeNull();
    const third = '{"format":1,"y":2}';
    await store.putPlan(digestOfPlanText(third), third, new Set([digestOfPlanText(other)]));
    expect(store.fault).toContain('at most 29');
    expect(store.plan(digestOfPlanText(third))).toBe(third);
  });

  test('goes on in memory when the disk cannot be written, and says so', async () => {
    const store = new PlanStore({ folder: join(folder, 'file', 'below'), maxBytes: 100 });
    await writeFile(join(folder, 'file'), '');
    await store.open();
    await store.putPlan(DIGEST, TEXT, new Set());
    expect(store.fault).not.toBeNull();
    expect(store.plan(DIGEST)).toBe(TEXT);
  });
});
