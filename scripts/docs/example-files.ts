import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseYaml } from 'yaml';
import { bind } from '../../src/policy/bind.ts';
import type { BoundHook } from '../../src/policy/bind/bound-hook.ts';
import { compiled } from '../../src/policy/testing/policies.ts';
import { RECORDED, readRecorded } from '../../src/policy/testing/recorded-kernels.ts';

const FOLDER = path.join(import.meta.dirname, '../../examples');

/** A policy of examples/, and what its file says about it. */
export type ExampleFile = {
  /** Relative to examples/. */
  readonly name: string;
  /** First sentence of its comment. */
  readonly summary: string;
  /** Ids of MITRE ATT&CK, from tags `attack.T…` and from a line `# ATT&CK: T…`. */
  readonly techniques: readonly string[];
  readonly isMonitor: boolean;
  /** What it does on every recorded kernel, in their order: the most of its hooks, `none` where it has nothing to do. */
  readonly effects: readonly { readonly kernel: string; readonly effect: BoundHook['effective'] }[];
};

/** All policies, those in the folder itself last; without the files of tests. */
export function readExampleFiles(): readonly ExampleFile[] {
  const names = globSync('**/*.yaml', { cwd: FOLDER }).filter((name) => !name.endsWith('.test.yaml'));
  return names.toSorted(byFolder).map(readExampleFile);
}

function byFolder(a: string, b: string): number {
  const rank = (name: string): string => (name.includes('/') ? `${name.startsWith('seed/') ? 1 : 0}${name}` : `2${name}`);
  return rank(a) < rank(b) ? -1 : 1;
}

function readExampleFile(name: string): ExampleFile {
  const text = readFileSync(path.join(FOLDER, name), 'utf8');
  const object: unknown = parseYaml(text);
  const { plan, mode } = compiled(object);
  const comment = text
    .split(/^apiVersion:/m, 1)
    .join('')
    .split('\n')
    .filter((line) => /^# (?!yaml-language-server:)/.test(line))
    .map((line) => line.slice(2));
  const listed = comment.flatMap((line) => /^ATT&CK: (.+)$/.exec(line)?.[1]?.split(', ') ?? []);
  const tagged = plan.hooks.flatMap(({ tags }) => tags.flatMap((tag) => /^attack\.(.+)$/.exec(tag)?.[1] ?? []));
  return {
    name,
    summary: firstSentence(comment.filter((line) => !line.startsWith('ATT&CK: ')).join(' ')),
    techniques: [...new Set([...tagged, ...listed])],
    isMonitor: mode === 'monitor',
    effects: RECORDED.map((kernel) => ({ kernel, effect: strongest(bind(plan, readRecorded(kernel), mode)) })),
  };
}

function firstSentence(text: string): string {
  return /^(.+?)\.(?: |$)/.exec(text)?.[1] ?? text;
}

const STRENGTH = ['none', 'observe', 'kill', 'deny'] as const;

function strongest(hooks: readonly BoundHook[]): BoundHook['effective'] {
  return STRENGTH.findLast((effect) => hooks.some(({ effective }) => effective === effect)) ?? 'none';
}
