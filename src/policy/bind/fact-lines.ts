/** The loader's `name=value` lines, in the words of `bind`. */
import type { KernelFacts, Preemption } from '../kernel-facts.ts';

const PREEMPTIONS: ReadonlySet<string> = new Set<Preemption>(['none', 'voluntary', 'full', 'lazy', 'unknown']);
const MAX_FACTS = 256;
const OWN_PLACE: ReadonlySet<string> = new Set(['lsm', 'preempt', 'arch', 'release']);

/**
 * `lsm`, `preempt`, `arch` and `release` have their own places; `1`, `0`, `true` and `false` are booleans; the rest stays text.
 */
export function readFactLines(lines: readonly string[]): Omit<KernelFacts, 'catalogue' | 'config'> {
  const texts = new Map<string, string>();
  for (const line of lines.slice(0, MAX_FACTS)) {
    const at = line.indexOf('=');
    if (at > 0) texts.set(line.slice(0, at), line.slice(at + 1));
  }
  const preempt = texts.get('preempt') ?? 'unknown';
  return {
    release: texts.get('release') ?? '',
    arch: texts.get('arch') ?? 'x86_64',
    lsm: (texts.get('lsm') ?? '').split(',').filter((name) => name !== ''),
    preempt: isPreemption(preempt) ? preempt : 'unknown',
    facts: Object.fromEntries([...texts].filter(([name]) => !OWN_PLACE.has(name)).map(([name, value]) => [name, readValue(value)])),
  };
}

function isPreemption(text: string): text is Preemption {
  return PREEMPTIONS.has(text);
}

function readValue(text: string): boolean | string {
  return text === '1' || text === 'true' ? true : text === '0' || text === 'false' ? false : text;
}
