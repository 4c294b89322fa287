import { describe, expect, it } from 'vitest';
import type { Btf, Prototype } from '../btf/type-index.ts';
import { typeText } from '../btf/types.ts';
import { RECORDED, readRecorded } from '../testing/recorded-kernels.ts';
import { functionOfHook, hookOfFunction, isTellingHook, sharedArguments } from './security-hooks.ts';

/** Constness is no difference; neither is the spelling of a size. */
function texts(btf: Btf, prototype: Prototype): string[] {
  return prototype.parameters.map(({ type }) => typeText(btf.types, type).replaceAll('const ', ''));
}

function typesOf(name: (typeof RECORDED)[number]): Btf {
  const btf = readRecorded(name).catalogue?.types?.kernel;
  if (btf === undefined) throw new Error('no types');
  return btf;
}

describe.each(RECORDED)('On %s', (name) => {
  const btf = typesOf(name);
  const hooks = [...btf.lsmHooks()];

  it('hook and function have the arguments in common that the table says, so that one may stand in for the other', () => {
    const wrong = hooks.filter((hook) => {
      const [own, called] = [btf.lsmPrototypeOf(hook), btf.prototypeOf(functionOfHook(hook))];
      if (own === undefined || called === undefined) return false;
      const [inHook, inFunction] = [texts(btf, own), texts(btf, called)];
      const count = Math.min(sharedArguments(hook), Math.max(inHook.length, inFunction.length));
      return inHook.slice(0, count).join() !== inFunction.slice(0, count).join();
    });
    expect(wrong).toEqual([]);
  });

  it('exactly the hooks of the table return nothing', () => {
    const silent = hooks.filter((hook) => btf.lsmPrototypeOf(hook)?.returns === 0);
    expect(silent.filter((hook) => !isTellingHook(hook))).toEqual([]);
    expect(hooks.filter((hook) => isTellingHook(hook) && !silent.includes(hook))).toEqual([]);
  });

  it('every hook is found again from its function', () => {
    const lost = hooks.filter((hook) => {
      const called = functionOfHook(hook);
      return btf.prototypeOf(called) !== undefined && hookOfFunction(called) !== hook;
    });
    expect(lost).toEqual([]);
  });

  it('functions that only serve BPF LSM are no hooks', () => {
    for (const helper of ['func_proto', 'verify_prog', 'is_sleepable_hook', 'find_cgroup_shim']) expect(hooks).not.toContain(helper);
  });
});
