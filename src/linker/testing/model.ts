/**
 * The engine in TypeScript: walks the planes of a linked hook over its configuration, tables and map rows, byte for byte as the loader
 * gets them. It knows nothing of plans. Compared with the reference evaluator it proves the linker; compared with the kernel, the engine.
 */
import { type ActFields, actsMask, selectorActs, signalClasses } from '../../abi/hook-acts.ts';
import type { SlotFields } from '../../abi/hook-config.ts';
import { denyClasses, planeMasks, selectorAt, tableMask } from '../../abi/hook-table-reader.ts';
import { CFG_LAYOUT, PAL_DO_NOTIFY_ENFORCER, PAL_FEAT_RETURN_RUN } from '../../abi/layout.ts';
import { bitsOf, hasBit, type SelectorMask } from '../../abi/selector-mask.ts';
import type { LinkedHook, LinkedNode } from '../linked-node.ts';
import { INTERFERING } from '../side-actions.ts';
import { type Hit, lookUp, type ModelCall, type ModelValue } from './model-lookup.ts';
import { type ModelTask, openSets } from './model-process.ts';
import { openTables } from './model-tables.ts';

/** What the engine does for one selector that matched: the first of its policy's hook. */
export type ModelMatch = {
  readonly bit: number;
  readonly policy: number;
  readonly selector: number;
  /** It matched without the help of an unknown value. */
  readonly known: boolean;
  readonly post: boolean;
  readonly errno: number | null;
  readonly kill: boolean;
  readonly signal: number | null;
  readonly wouldDeny: boolean;
  readonly wouldKill: boolean;
  readonly wouldSignal: boolean;
  readonly acts: readonly ActFields[];
};

export type ModelVerdict = {
  readonly matches: readonly ModelMatch[];
  readonly errno: number | null;
  readonly kill: boolean;
  readonly signal: number | null;
  /** Selectors that go on to the return of the call. */
  readonly frame: SelectorMask;
};

export type EngineModel = {
  /** `from`: of a return companion, the frame of the entry. */
  run(task: ModelTask, valueOf: (slot: SlotFields) => ModelValue, from?: SelectorMask): ModelVerdict;
};

type Masks = { cand: SelectorMask; known: SelectorMask };

export function openModel(hook: LinkedHook, node: Pick<LinkedNode, 'binarySets' | 'pidSets' | 'followedSets'>): EngineModel {
  const tables = openTables(hook);
  const recordOf = openSets(node);
  const all = tableMask(hook.table, 'all');
  const isReturn = (hook.config.readUInt32LE(CFG_LAYOUT.at.feat) & PAL_FEAT_RETURN_RUN) !== 0;
  const decide = openDecision(hook);
  return {
    run(task, valueOf, from = all) {
      const call: ModelCall = { task, record: recordOf(task), valueOf };
      const masks: Masks = { cand: all & from, known: all & from };
      for (const [index, plane] of tables.planes.entries()) {
        if (masks.cand === 0n) break;
        apply(masks, hook.table, index, lookUp(tables, hook.table, plane, index, call));
      }
      // The entry chose one selector of each policy already.
      const chosen = isReturn ? masks.cand : firstOfEachField(masks.cand, tableMask(hook.table, 'lsb'), tableMask(hook.table, 'msb'));
      return decide(chosen, masks.known, task.exempt);
    },
  };
}

function apply(masks: Masks, table: Buffer, plane: number, hit: Hit): void {
  const { dontCare, invert, unknown } = planeMasks(table, plane);
  switch (hit.kind) {
    case 'none':
      masks.cand &= dontCare;
      masks.known &= dontCare;
      return;
    case 'unknown':
      masks.cand &= unknown | dontCare;
      masks.known &= dontCare;
      return;
    case 'partial': {
      const sure = hit.selectors & ~invert;
      masks.cand &= sure | (~hit.selectors & unknown) | dontCare;
      masks.known &= sure | dontCare;
      return;
    }
    case 'hit': {
      const keep = ((hit.selectors ^ invert) & (hit.only ?? ~0n)) | dontCare;
      masks.cand &= keep;
      masks.known &= keep;
      return;
    }
  }
}

/** The lowest bit of every policy's field, without loops, as the engine does it. */
export function firstOfEachField(mask: SelectorMask, first: SelectorMask, last: SelectorMask): SelectorMask {
  let result = 0n;
  for (let word = 0n; word < 4n; word += 1n) {
    const [x, lsb, msb] = [mask, first, last].map((value) => BigInt.asUintN(64, value >> (64n * word)));
    if (x === undefined || lsb === undefined || msb === undefined) continue;
    const clear = BigInt.asUintN(64, ~x);
    const isolated = x & (BigInt.asUintN(64, (clear & ~msb) + lsb) ^ (clear & msb));
    result |= isolated << (64n * word);
  }
  return result;
}

type Decide = (chosen: SelectorMask, known: SelectorMask, exempt: boolean) => ModelVerdict;

function openDecision({ table, further: { acts } }: LinkedHook): Decide {
  const denies = denyClasses(table);
  const [kill, post, wkill, wdeny] = (['kill', 'post', 'wkill', 'wdeny'] as const).map((name) => tableMask(table, name));
  const hasActs = acts.length > 0;
  const signals = hasActs ? signalClasses(acts) : [];
  const wsig = hasActs ? actsMask(acts, 'wsig') : 0n;
  const ret = hasActs ? actsMask(acts, 'ret') : 0n;
  // A selector that denies as well does not kill for an unknown value.
  const deniesHere = denies.reduce((mask, entry) => mask | entry.selectors, wdeny ?? 0n);
  const spare = hasActs ? actsMask(acts, 'spare') : deniesHere;

  return (chosen, known, exempt) => {
    const loud = chosen & (known | ~spare);
    const matches = [...bitsOf(chosen)].map((bit): ModelMatch => {
      const has = (mask: SelectorMask | undefined): boolean => hasBit(mask ?? 0n, bit);
      const sure = hasBit(known, bit);
      return {
        bit,
        ...policyAndSelector(table, bit),
        known: sure,
        post: has(post),
        errno: exempt ? null : (denies.find((entry) => has(entry.selectors))?.errno ?? null),
        kill: !exempt && has(kill) && has(loud),
        signal: exempt || !has(loud) ? null : (signals.find((entry) => has(entry.selectors))?.signal ?? null),
        wouldDeny: !exempt && has(wdeny),
        wouldKill: !exempt && has(wkill) && has(loud),
        wouldSignal: !exempt && has(wsig) && has(loud),
        acts: hasActs ? actsAt(acts, bit, exempt, has(loud)) : [],
      };
    });
    const errno = exempt ? null : (denies.find((entry) => (entry.selectors & chosen) !== 0n)?.errno ?? null);
    const kills = !exempt && (loud & (kill ?? 0n)) !== 0n;
    const signal = exempt || kills ? null : (signals.find((entry) => (entry.selectors & loud) !== 0n)?.signal ?? null);
    return { matches, errno, kill: kills, signal, frame: chosen & ret };
  };
}

function policyAndSelector(table: Buffer, bit: number): { readonly policy: number; readonly selector: number } {
  const { policy, selector } = selectorAt(table, bit);
  return { policy, selector };
}

/** Exempt processes are spared what interferes with them; an enforcer sends no signal by an unknown value. */
function actsAt(acts: Buffer, bit: number, exempt: boolean, isLoud: boolean): readonly ActFields[] {
  return selectorActs(acts, bit)
    .acts.filter((act) => !exempt || !INTERFERING.has(act.type))
    .map((act) => (isLoud || act.type !== PAL_DO_NOTIFY_ENFORCER ? act : { ...act, b: 0 }));
}
