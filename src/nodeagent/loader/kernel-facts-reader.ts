/** What the loader found out about its kernel, in the words of `bind`. */
import { type KernelCatalogue, type KernelFacts, type Preemption } from '../../policy/kernel-facts.ts';
import type { LoaderHello } from './loader-client.ts';

const PREEMPTIONS: ReadonlySet<string> = new Set<Preemption>(['none', 'voluntary', 'full', 'lazy', 'unknown']);
const MAX_FACTS = 256;

/**
 * `lsm`, `preempt` and `arch` have their own places; `1`, `0`, `true` and `false` are booleans; the rest stays text. Null catalogue: not
 * asked yet.
 */
export function readKernelFacts(hello: Pick<LoaderHello, 'facts' | 'release'>, catalogue: KernelCatalogue | null): KernelFacts {
  const texts = new Map<string, string>();
  for (const fact of hello.facts.slice(0, MAX_FACTS)) {
    const at = fact.indexOf('=');
    if (at > 0) texts.set(fact.slice(0, at), fact.slice(at + 1));
  }
  const preempt = texts.get('preempt') ?? 'unknown';
  const named = new Set(['lsm', 'preempt', 'arch', 'release']);
  return {
    release: hello.release,
    arch: texts.get('arch') ?? 'x86_64',
    lsm: (texts.get('lsm') ?? '').split(',').filter((name) => name !== ''),
    preempt: isPreemption(preempt) ? preempt : 'unknown',
    facts: Object.fromEntries([...texts].filter(([name]) => !named.has(name)).map(([name, value]) => [name, readValue(value)])),
    catalogue,
  };
}

function isPreemption(text: string): text is Preemption {
  return PREEMPTIONS.has(text);
}

function readValue(text: string): boolean | string {
  return text === '1' || text === 'true' ? true : text === '0' || text === 'false' ? false : text;
}
