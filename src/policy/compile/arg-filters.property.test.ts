import { BlockList, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArgValue } from '../evaluate/event.ts';
import { answer } from '../evaluate/filter.ts';
import { callBy } from '../evaluate/testing/processes.ts';
import { ARG_OPERATORS, type ArgOperatorName } from '../schema/selectors.ts';
import { ARG_TYPES, type ArgTypeName } from '../schema/arguments.ts';
import { type FilterSpec, filterOn, valueOf } from '../testing/argument-arbitraries.ts';
import { PLAN_TYPES } from './argument-types.ts';
import { filter } from '../plan-schema/filters.ts';
import { compileWith } from './testing/filters.ts';

const isDeep = process.env['PALISADE_DEEP'] === '1';

/** What the text of a filter says, in other words than compiler and evaluator use; undefined: for another kind of value. */
function says(operator: string, values: readonly string[], value: ArgValue): boolean | undefined {
  switch (value.kind) {
    case 'int':
      return numberSays(operator, values, value.value);
    case 'bytes':
      return textSays(operator, values, Buffer.from(value.value).toString());
    case 'socket':
      return operator.includes('Addr')
        ? addressSays(operator, values, operator.includes('SAddr') ? value.source : value.destination)
        : portSays(operator, values, operator.includes('SP') || operator.includes('Sp') ? value.sourcePort : value.destinationPort);
    default:
      return undefined;
  }
}

const negated = (operator: string, hit: boolean): boolean => hit !== operator.startsWith('Not');

function within(text: string, value: bigint): boolean {
  const [from = '', to = from] = text.split(':');
  const [a, b] = [BigInt(from), BigInt(to)];
  return (a <= value && value <= b) || (b <= value && value <= a);
}

function numberSays(operator: string, values: readonly string[], value: bigint): boolean | undefined {
  switch (operator) {
    case 'Equal':
    case 'NotEqual':
    case 'In':
    case 'NotIn':
    case 'InRange':
    case 'NotInRange':
    case 'InMap':
    case 'NotInMap':
      return negated(
        operator,
        values.some((text) => within(text, value)),
      );
    case 'GT':
    case 'GreaterThan':
      return values.some((text) => value > BigInt(text));
    case 'LT':
    case 'LessThan':
      return values.some((text) => value < BigInt(text));
    case 'Mask':
      return values.some((text) => (BigInt.asUintN(64, value) & BigInt(text)) > 0n);
    default:
      return undefined;
  }
}

function textSays(operator: string, values: readonly string[], text: string): boolean | undefined {
  const some = (fits: (value: string) => boolean): boolean => negated(operator, values.some(fits));
  switch (operator) {
    case 'Equal':
    case 'NotEqual':
    case 'In':
    case 'NotIn':
      return some((value) => value === text);
    case 'Prefix':
    case 'NotPrefix':
      return some((value) => text.startsWith(value));
    case 'Postfix':
    case 'NotPostfix':
      return some((value) => text.endsWith(value));
    case 'SubString':
      return some((value) => text.includes(value));
    case 'SubStringIgnCase':
      return some((value) => text.toLowerCase().includes(value.toLowerCase()));
    default:
      return undefined;
  }
}

function addressSays(operator: string, values: readonly string[], address: Uint8Array | null): boolean {
  const family = address?.length === 16 ? 'ipv6' : 'ipv4';
  const ofFamily = values.filter((text) => (isIPv6(text.split('/')[0] ?? '') ? 'ipv6' : 'ipv4') === family);
  if (address === null || ofFamily.length === 0) {
    return false;
  }
  const list = new BlockList();
  for (const text of ofFamily) {
    const [network = '', length = family === 'ipv6' ? '128' : '32'] = text.split('/');
    list.addSubnet(network, Number(length), family);
  }
  const groups = Array.from({ length: 8 }, (_, i) => (((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0)).toString(16));
  return negated(operator, list.check(family === 'ipv6' ? groups.join(':') : address.join('.'), family));
}

function portSays(operator: string, values: readonly string[], port: number): boolean | undefined {
  if (operator.endsWith('Priv')) {
    return negated(operator, port < 1024);
  }
  return operator.endsWith('Port')
    ? negated(
        operator,
        values.some((text) => within(text, BigInt(port))),
      )
    : undefined;
}

function isOperator(name: string): name is ArgOperatorName {
  return ARG_OPERATORS.some((operator) => operator === name);
}

const cases = fc
  .constantFrom(...ARG_TYPES.filter((type) => filterOn(0, type).length > 0 && !/cap|auto/.test(type)))
  .chain((type: ArgTypeName) =>
    fc.tuple(fc.constant(type), fc.oneof(...filterOn(0, type)), fc.array(valueOf(PLAN_TYPES[type]), { minLength: 8, maxLength: 8 })),
  );

describe('a compiled filter', { timeout: isDeep ? 3_600_000 : 60_000 }, () => {
  it('means what its text says', () => {
    let compared = 0;
    fc.assert(
      fc.property(cases, ([type, { operator, values = [] }, events]: [ArgTypeName, FilterSpec, ArgValue[]]) => {
        if (!isOperator(operator)) {
          throw new Error(`${operator} is no operator`);
        }
        const { filter: compiled, problems } = compileWith([type], { operator, values: [...values] });
        expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
        for (const event of events) {
          const wanted = says(operator, values, event);
          const said =
            compiled === undefined ? 'none' : answer(compiled, [{ index: 0, type: PLAN_TYPES[type], label: '' }], callBy({}, [event]));
          if (wanted !== undefined && said !== 'unknown') {
            compared += 1;
            expect([operator, values, event, said]).toEqual([operator, values, event, wanted ? 'yes' : 'no']);
          }
        }
      }),
      { numRuns: isDeep ? 100_000 : 1_000 },
    );
    expect(compared).toBeGreaterThan(isDeep ? 200_000 : 2_000);
  });

  it('is there, and one that a plan can carry, or there is an error: for any text as a value', () => {
    const words = [
      '0',
      '-1',
      '1',
      ':',
      'list:dups',
      '0x',
      '10.0.0.1',
      '/33',
      '::',
      'AF_INET',
      'CAP_CHOWN',
      ',',
      'arg0',
      '==',
      '"',
      '\0',
      '\ud800',
      'reg',
      ' ',
    ];
    const value = fc.oneof(
      fc.constantFrom(...words),
      fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.bigInt({ min: -(1n << 65n), max: 1n << 65n }).map(String),
    );
    const given = fc.record(
      {
        operator: fc.constantFrom(...ARG_OPERATORS),
        values: fc.array(value, { maxLength: 3 }),
        args: fc.array(fc.nat({ max: 3 }), { maxLength: 3 }),
      },
      { requiredKeys: ['operator'] },
    );
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ARG_TYPES), { minLength: 1, maxLength: 3 }), given, (types, filterSpec) => {
        const { filter: compiled, problems } = compileWith(types, filterSpec);
        if (problems.some((problem) => problem.severity === 'error')) {
          return;
        }
        expect(filter.safeParse(compiled).error?.issues).toBeUndefined();
      }),
      { numRuns: isDeep ? 500_000 : 5_000 },
    );
  });
});
