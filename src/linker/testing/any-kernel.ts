/** A kernel that has whatever it is asked for. */
import { prototypeQueries } from '../hook-choice.ts';
import type { LinkInput, LinkPolicy } from '../link-input.ts';
import { WHOLE_ENGINE } from '../link-target.ts';
import type { Prototype } from '../prototype.ts';
import { testInput, testKernel } from './kernels.ts';

/** Links for the whole engine. */
export function anyKernelInput(policies: readonly LinkPolicy[]): LinkInput {
  const input = testInput(policies, { target: WHOLE_ENGINE, kernel: testKernel({ preempt: 'none' }) });
  return { ...input, prototypes: new Map(prototypeQueries(policies, input).map((query) => [query, answerTo(query)])) };
}

function answerTo(query: string): Prototype {
  if (query.startsWith('tracepoint:')) {
    const fields = Array.from({ length: 64 }, (_, i) => ({ name: `f${i}`, offset: 8 * i, bytes: 8, signed: false, dataLocation: false }));
    return { kind: 'tracepoint', fields };
  }
  if (query.startsWith('member '))
    return { kind: 'member', steps: [0x8000_0008, memberOffset(query)], bytes: 4, signed: true, type: 'int' };
  return { kind: 'function', args: Array.from({ length: 6 }, (_, index) => ({ index, bytes: 8, signed: false, type: 'ptr' })) };
}

/** Members of different names lie at different places. */
function memberOffset(query: string): number {
  let offset = 0;
  for (const char of query) offset = (31 * offset + (char.codePointAt(0) ?? 0)) % 0x7fff_fff0;
  return offset;
}
