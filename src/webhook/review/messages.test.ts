import { expect, test } from 'vitest';
import { refusalMessage, warningLines } from './messages.ts';

test('words of a node move no cursor, and are not dropped by the API server for their control characters', () => {
  const finding = { rule: 'LSMNotEnabled', path: 'spec', text: 'will not work on 1 of 2 nodes (kernel 6.1\u001b[2J\r\n)' };
  expect(warningLines([finding])).toEqual(['spec: will not work on 1 of 2 nodes (kernel 6.1?[2J??)']);
  expect(refusalMessage([finding, finding]).split('\n')).toHaveLength(2);
});
