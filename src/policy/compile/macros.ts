import { LIMITS } from '../limits.ts';
import { didYouMean } from '../nearest.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { SelectorSpec } from '../schema/selectors.ts';

/** Names that are compared with a misspelt one. */
const MAX_SUGGESTED = 64;

export type MacroTable = ReadonlyMap<string, SelectorSpec>;

/** Parts of a selector that a macro can bring. */
const BLOCKS = [
  'matchArgs',
  'matchData',
  'matchReturnArgs',
  'matchBinaries',
  'matchParentBinaries',
  'matchPIDs',
  'matchNamespaces',
  'matchNamespaceChanges',
  'matchCapabilities',
  'matchCapabilityChanges',
  'matchActions',
  'matchReturnActions',
] as const satisfies readonly (keyof SelectorSpec)[];

export type Block = (typeof BLOCKS)[number];

/** A selector with the blocks of its macros; `pathOf` says where the user finds a block. */
export type ExpandedSelector = { readonly spec: SelectorSpec; readonly pathOf: (block: Block) => string };

/** Macros by name; problems for what no macro can have, also in macros that nobody uses. */
export function compileMacros(sink: ProblemSink, specs: Readonly<Record<string, SelectorSpec>>): MacroTable {
  const count = Object.keys(specs).length;
  if (count > LIMITS.macrosPerPolicy) {
    sink.error('SetTooLarge', 'spec.selectorsMacros', `${count} macros`, `at most ${LIMITS.macrosPerPolicy}`);
    return new Map();
  }
  for (const [name, macro] of Object.entries(specs)) {
    const path = macroPath(name);
    if ((macro.macros ?? []).length > 0) {
      sink.error('BadMacro', fieldPath(path, 'macros'), 'a macro cannot use macros');
    }
    if (macro.matchWorkloads !== undefined) {
      sink.error('BadMacro', fieldPath(path, 'matchWorkloads'), 'a macro cannot have matchWorkloads', 'write it in the selectors');
    }
  }
  return new Map(Object.entries(specs));
}

/** Each block may come from one place only: the selector itself or one of its macros. */
export function expandMacros(sink: ProblemSink, path: string, spec: SelectorSpec, macros: MacroTable): ExpandedSelector {
  const paths = new Map<Block, string>(BLOCKS.filter((block) => isUsed(spec, block)).map((block) => [block, fieldPath(path, block)]));
  const expanded: Record<string, unknown> = { ...spec };
  let labelled = spec.label === undefined ? undefined : fieldPath(path, 'label');
  for (const [index, name] of (spec.macros ?? []).entries()) {
    const at = fieldPath(fieldPath(path, 'macros'), index);
    const macro = macros.get(name);
    if (macro === undefined) {
      sink.error(
        'UnknownMacro',
        at,
        `there is no macro ${quote(name)} in spec.selectorsMacros`,
        sink.isFull() ? undefined : didYouMean(name, [...macros.keys()].slice(0, MAX_SUGGESTED)),
      );
      continue;
    }
    for (const block of BLOCKS.filter((candidate) => isUsed(macro, candidate))) {
      const other = paths.get(block);
      if (other !== undefined) {
        sink.error('RepeatedBlock', at, `macro ${quote(name)} brings ${block}, which is there already: ${other}`);
        continue;
      }
      paths.set(block, fieldPath(macroPath(name), block));
      expanded[block] = macro[block];
    }
    if (macro.label !== undefined && spec.label === undefined) {
      if (labelled !== undefined) {
        sink.error('RepeatedBlock', at, `macro ${quote(name)} brings a label, which is there already: ${labelled}`);
      }
      labelled = fieldPath(macroPath(name), 'label');
      expanded['label'] = macro.label;
    }
  }
  return { spec: expanded, pathOf: (block) => paths.get(block) ?? fieldPath(path, block) };
}

function isUsed(spec: SelectorSpec, block: Block): boolean {
  return (spec[block] ?? []).length > 0;
}

function macroPath(name: string): string {
  return fieldPath('spec.selectorsMacros', name);
}
