/** Texts of policies with something changed somewhere: what slips of the hand, broken templates and hostile clients send. */
import fc from 'fast-check';
import { stringify } from 'yaml';
import { tracingPolicySpec } from '../schema/spec.ts';
import { mutate, mutation } from './mutation.ts';
import { validValue } from './schema-arbitrary.ts';

/** What YAML gives a meaning to, in wrong places. */
const SNIPPETS = [
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  ': ',
  '- ',
  '\n',
  '\n\n---\n',
  '\n...\n',
  '\t',
  '  ',
  '#',
  ' #',
  '&a ',
  '*a',
  '<<: *a',
  '!!str ',
  '!x ',
  '|',
  '>-\n',
  '? ',
  '%YAML 1.2\n',
  '\r',
  '\u0000',
  '\ufeff',
  '\u2028',
  '\u{1f980}',
  '~',
  'null',
  'yes',
  '0644',
  '-1',
  '1e400',
  '9'.repeat(40),
  '__proto__: ',
  'constructor: ',
  'x'.repeat(2_000),
  '[['.repeat(200),
  '{a: '.repeat(100),
  'kind: List\nitems:\n',
] as const;

export type TextChange =
  | { readonly kind: 'insert'; readonly at: number; readonly snippet: string }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'byte'; readonly at: number; readonly byte: number };

const where = fc.nat({ max: 1 << 20 });

export const textChange: fc.Arbitrary<TextChange> = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), at: where, snippet: fc.constantFrom(...SNIPPETS) }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'repeat' as const), at: where, length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('byte' as const), at: where, byte: fc.nat({ max: 255 }) }),
);

/** Positions are taken modulo the length. */
export function changeText(bytes: Buffer, change: TextChange): Buffer {
  const at = change.at % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (change.kind) {
    case 'insert':
      return Buffer.concat([before, Buffer.from(change.snippet), after]);
    case 'remove':
      return Buffer.concat([before, after.subarray(change.length)]);
    case 'repeat':
      return Buffer.concat([before, ...Array.from({ length: 5 }, () => after.subarray(0, change.length)), after]);
    case 'byte':
      return Buffer.concat([before, Buffer.from([change.byte]), after.subarray(1)]);
  }
}

const object = fc
  .record({ kind: fc.constantFrom('TracingPolicy', 'TracingPolicyNamespaced'), spec: validValue(tracingPolicySpec) })
  .map(({ kind, spec }) => ({
    apiVersion: 'cilium.io/v1alpha1',
    kind,
    metadata: { name: 'test', ...(kind === 'TracingPolicy' ? {} : { namespace: 'team-a' }) },
    spec,
  }));

/** Files of one or two policies, random or out of `seeds`, with up to two values and up to four places of the text changed. */
export function mutatedFiles(seeds: readonly unknown[]): fc.Arbitrary<Buffer> {
  const policy = fc
    .tuple(fc.oneof(object, fc.constantFrom(...seeds)), fc.array(mutation, { maxLength: 2 }))
    .map(([value, mutations]) => mutations.reduce<unknown>((current, each) => mutate(current, each), value));
  const written = fc
    .tuple(policy, fc.boolean())
    .map(([value, isJson]) => (isJson ? `${JSON.stringify(value, null, 1)}\n` : stringify(value, { lineWidth: 0 })));
  // Half of the files keep their text, so that what is behind the parser is tried as well.
  const changes = fc.oneof(fc.constant([]), fc.array(textChange, { minLength: 1, maxLength: 4 }));
  return fc
    .tuple(fc.array(written, { minLength: 1, maxLength: 2 }), changes)
    .map(([texts, each]) => each.reduce<Buffer>((bytes, change) => changeText(bytes, change), Buffer.from(texts.join('---\n'))));
}
