import { expect, test } from 'vitest';
import { evaluate } from './evaluation.ts';
import { projectPolicy } from './policy-item.ts';

const item = projectPolicy('TracingPolicy', { metadata: { name: 'p', uid: 'u', resourceVersion: '1', generation: 1 }, spec: {} });

test('a policy on which the language fails is told so, and takes nobody down with it', () => {
  const fail = (): never => {
    throw new RangeError('Maximum call stack size exceeded');
  };
  expect(evaluate(item, fail)).toEqual({
    kind: 'uncompilable',
    problems: [
      {
        code: 'NotSupported',
        path: 'spec',
        message: 'Palisade failed on it, which is a mistake of ours: Maximum call stack size exceeded',
        severity: 'error',
      },
    ],
  });
});
