/** What the loader found out about its kernel, in the words of `bind`. */
import { readFactLines } from '../../policy/bind/fact-lines.ts';
import type { KernelCatalogue, KernelFacts } from '../../policy/kernel-facts.ts';
import type { LoaderHello } from './loader-client.ts';

/** Null catalogue: not asked yet. */
export function readKernelFacts(hello: Pick<LoaderHello, 'facts' | 'release'>, catalogue: KernelCatalogue | null): KernelFacts {
  return { ...readFactLines(hello.facts), release: hello.release, catalogue };
}
