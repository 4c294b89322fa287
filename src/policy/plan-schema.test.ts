import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readPlan } from './plan-schema.ts';
import { type CanonicalValue, canonicalJson } from './canonical-json.ts';
import { specArbitrary } from './testing/arbitraries.ts';
import { compile } from './compile.ts';
import { parse } from './parse.ts';
import { codesOf, compiled, policyFiles, policyObject } from './testing/policies.ts';
import { WHOLE_LANGUAGE } from './testing/whole-language.ts';

const { text } = compiled(policyObject({ lsmhooks: [{ hook: 'file_open', args: [{ index: 0, type: 'file' }] }] }));

const many = <Item>(count: number, item: (at: number) => Item): Item[] => Array.from({ length: count }, (_, at) => item(at));

describe('reading a plan from elsewhere', () => {
  it('takes whatever the compiler writes', () => {
    fc.assert(
      fc.property(specArbitrary, (spec) => {
        const result = compiled(policyObject(spec));
        expect(readPlan(result.text)).toEqual({ ok: true, plan: result.plan });
      }),
    );
    for (const file of [...policyFiles('examples'), ...policyFiles('examples/seed')]) {
      expect(readPlan(compiled(file.object).text)).toMatchObject({ ok: true });
    }
  });

  it.each([
    ['no JSON', '{', 'no JSON'],
    ['another format', text.replace('"format":1', '"format":2'), 'format'],
    ['another spelling of the same plan', ` ${text}`, 'canonical'],
    ['a field more', text.replace('{"format"', '{"extra":1,"format"'), 'extra'],
    ['a selector without actions', text.replace('"actions":[{"type":"post"}]', '"actions":[]'), 'actions'],
    [
      'a filter on an argument that is not read',
      text.replace('"filters":[]', '"filters":[{"arg":1,"on":"int","operator":"Equal","values":["1"]}]'),
      'does not read',
    ],
    [
      'a namespaced plan that would act on anybody',
      text.replace('"namespace":null', '"namespace":"a"').replace('"onPending":"wait"', '"onPending":"apply"'),
      'unknown namespace',
    ],
  ])('refuses %s', (_, wrong, part) => {
    const result = readPlan(wrong);
    expect(result.ok ? '' : result.message).toContain(part);
  });

  it.each(WHOLE_LANGUAGE)('takes everything that policies can say about %s', (_, spec) => {
    const { plan, text: planText } = compiled(policyObject(spec));
    expect(readPlan(planText)).toEqual({ ok: true, plan });
  });

  it.each([
    [
      'filters',
      1024,
      (count: number) => ({
        lsmhooks: [{ hook: 'file_open', selectors: [{ matchPIDs: many(count, (at) => ({ operator: 'NotIn', values: [at] })) }] }],
      }),
    ],
    [
      'values of lists',
      65_536,
      (count: number) => ({
        tracepoints: [
          {
            subsystem: 'raw_syscalls',
            event: 'sys_enter',
            args: [{ index: 4, type: 'syscall64' }],
            selectors: [{ matchArgs: [{ index: 4, operator: 'InMap', values: ['list:a', 'list:b', '7'] }] }],
          },
        ],
        lists: ['a', 'b'].map((name) => ({ name, type: 'syscalls', values: many((count - 1) / 2, (at) => `sys_${name}${at}`) })),
      }),
    ],
  ])('takes as many %s as the compiler lets through', (_, max, specOf) => {
    expect(readPlan(compiled(policyObject(specOf(max))).text)).toMatchObject({ ok: true });
    expect(codesOf(policyObject(specOf(max + 2)))).toMatchObject([expect.stringMatching(/^(TooManyFilters|SetTooLarge)$/)]);
  });

  it('takes whatever compiles, however strange the texts and numbers of a policy are', () => {
    const strange = fc.oneof(
      fc.constantFrom<unknown>(
        '',
        ' ',
        '\0',
        '\ud800',
        'é'.repeat(300),
        '__proto__',
        'list:dups',
        'list:',
        '0',
        '-1',
        '/',
        '/a',
        '1:2',
        'a'.repeat(5000),
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom<unknown>(0, 1, -1, 5, 63, 4096, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 53 - 1),
      fc.constantFrom<unknown>(true, false, [], {}, [''], ['a', 'a']),
    );
    const edited = fc
      .constantFrom(...WHOLE_LANGUAGE.map(([, spec]) => spec))
      .chain((spec) => fc.tuple(fc.constant(spec), fc.constantFrom(...placesIn(spec)), strange))
      .map(([spec, place, value]) => replaced(spec, place, value));
    let read = 0;
    fc.assert(
      fc.property(edited, (spec) => {
        const parsed = parse(policyObject(Object(spec)));
        const result = parsed.ok ? compile(parsed.value) : parsed;
        if (result.ok && 'plan' in result.value) {
          read += 1;
          expect(readPlan(result.value.text)).toEqual({ ok: true, plan: result.value.plan });
        }
      }),
      { numRuns: 1_000 },
    );
    expect(read).toBeGreaterThan(10);
  }, 60_000);

  const whole = JSON.parse(compiled(policyObject(WHOLE_LANGUAGE[0]?.[1] ?? {})).text);

  it.each<readonly [string, Place, unknown]>([
    ['a host that is absent', ['scope', 'host'], null],
    ['no loader', ['loader'], false],
    ['kprobes that are not single', ['options', 'singleKprobes'], false],
    ['no method', ['options', 'overrideMethod'], null],
    ['a hook that must be there', ['hooks', 0, 'ignoreMissing'], false],
    ['a return that nobody watches', ['hooks', 0, 'returns'], false],
    ['no place in a program', ['hooks', 0, 'user'], null],
    ['a path of no steps', ['hooks', 0, 'args', 0, 'resolve'], []],
    ['a buffer that is read at entry', ['hooks', 0, 'args', 0, 'returnCopy'], false],
    ['no label', ['hooks', 0, 'selectors', 1, 'label'], ''],
    ['all workloads', ['hooks', 0, 'selectors', 1, 'workload'], { podSelector: null }],
    ['no filters at return', ['hooks', 0, 'selectors', 1, 'returnFilters'], []],
    ['no actions at return', ['hooks', 0, 'selectors', 1, 'returnActions'], []],
    ['an enforcer without calls', ['enforcer', 'calls'], []],
    ['calls that are not sorted', ['enforcer', 'calls'], ['sys_b', 'sys_a']],
    ['a call twice', ['enforcer', 'calls'], ['sys_a', 'sys_a']],
  ])('refuses a member that is spelt with what its absence means, or otherwise than the compiler does: %s', (_, place, value) => {
    expect(readPlan(canonicalJson(replaced(whole, place, value))).ok).toBe(false);
  });

  it.each<readonly [string, Place, unknown]>([
    ['a hook in another section', ['hooks', 0, 'section'], 'lsmhooks'],
    ['a name that is none', ['hooks', 0, 'target'], 'a b'],
    ['a system call that is none', ['hooks', 0, 'syscall'], true],
    ['an action that the hook cannot do', ['hooks', 0, 'selectors', 0, 'actions'], [{ type: 'set', arg: 0, value: 1 }]],
    ['a socket that is none', ['hooks', 0, 'selectors', 0, 'actions'], [{ type: 'track_sock', arg: 2 }]],
    ['an error that is none', ['hooks', 0, 'selectors', 0, 'actions'], [{ type: 'override', errno: 5 }]],
    ['SIGKILL by another name', ['hooks', 0, 'selectors', 0, 'actions'], [{ type: 'signal', signal: 9 }]],
    ['a notification of nothing', ['hooks', 0, 'selectors', 0, 'actions'], [{ type: 'notify_enforcer', errno: 0, signal: 0 }]],
    [
      'an address of a number',
      ['hooks', 0, 'selectors', 0, 'filters'],
      [{ on: 'address', arg: 2, end: 'source', operator: 'In', values: ['::/0'] }],
    ],
    [
      'an address in another spelling',
      ['hooks', 0, 'selectors', 0, 'filters'],
      [{ on: 'address', arg: 0, end: 'source', operator: 'In', values: ['10.0.0.1/8'] }],
    ],
    [
      'ranges that touch',
      ['hooks', 0, 'selectors', 0, 'filters'],
      [
        {
          on: 'range',
          arg: 2,
          operator: 'InRange',
          ranges: [
            ['1', '2'],
            ['3', '4'],
          ],
        },
      ],
    ],
    [
      'numbers that are not sorted',
      ['hooks', 0, 'selectors', 0, 'filters'],
      [{ on: 'int', arg: 2, operator: 'Equal', values: ['10', '9'] }],
    ],
    [
      'a number that the type never has',
      ['hooks', 0, 'selectors', 0, 'filters'],
      [{ on: 'int', arg: 2, operator: 'Equal', values: ['-1'] }],
    ],
    [
      'a system call that is compared with no id of one',
      ['hooks', 0, 'selectors', 0, 'filters'],
      [{ on: 'int', arg: 2, operator: 'Equal', values: ['sys_dup'] }],
    ],
    ['a type of file of a socket', ['hooks', 0, 'selectors', 0, 'filters'], [{ on: 'fileType', arg: 0, operator: 'In', values: ['reg'] }]],
    ['a mask of nothing', ['hooks', 0, 'selectors', 0, 'filters'], [{ on: 'mask', arg: 2, mask: '0' }]],
    [
      'an expression on a socket',
      ['hooks', 0, 'selectors', 0, 'filters'],
      [{ on: 'cel', expression: { op: 'arg', type: 'bool', arg: 0 } }],
    ],
    ['a return value at entry', ['hooks', 1, 'selectors', 0, 'filters'], [{ on: 'int', arg: 2, operator: 'Equal', values: ['1'] }]],
    ['a pattern that hangs other engines', ['hooks', 5, 'generated', 'pattern'], '(a)\\1'],
    ['a plan without hooks', ['hooks'], []],
    ['a namespaced plan with an enforcer', ['scope', 'namespace'], 'team-a'],
    ['hooks of half the node and mappings of all', ['loader'], true],
  ])('refuses what does not fit together: %s', (_, place, value) => {
    expect(readPlan(canonicalJson(replaced(whole, place, value))).ok).toBe(false);
  });

  it('refuses any plan with one member more', () => {
    for (const place of placesIn(whole).filter((each) => isObject(valueAt(whole, each)))) {
      const isFree = place.at(-1) === 'matchLabels';
      expect(readPlan(canonicalJson(replaced(whole, [...place, 'extra'], 'x'))).ok, place.join('.')).toBe(isFree);
    }
  });

  it('survives expressions without end', () => {
    const deep = text.replace('"filters":[]', `"filters":[{"expression":${'{"of":'.repeat(9_000)}1${'}'.repeat(9_000)},"on":"cel"}]`);
    expect(readPlan(deep)).toEqual({ ok: false, message: 'the plan is nested too deep' });
  });

  it('survives any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (anything) => {
        expect(readPlan(anything).ok).toBe(false);
      }),
    );
  });
});

type Place = readonly (string | number)[];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every value inside, from outside to inside. */
function placesIn(value: unknown, at: Place = []): Place[] {
  const children = Array.isArray(value) ? [...value.entries()] : isObject(value) ? Object.entries(value) : [];
  return [...(at.length === 0 ? [] : [at]), ...children.flatMap(([key, child]) => placesIn(child, [...at, key]))];
}

function valueAt(value: unknown, [key, ...rest]: Place): unknown {
  return key === undefined ? value : valueAt(Object(value)[key], rest);
}

/** The same with another value there, or one more. */
function replaced(value: unknown, [key, ...rest]: Place, by: unknown): CanonicalValue {
  if (key === undefined) {
    return z.json().parse(JSON.parse(JSON.stringify(by)));
  }
  const child = replaced(Object(value)[key], rest, by);
  return Array.isArray(value) ? value.map((each, index) => (index === key ? child : each)) : { ...Object(value), [key]: child };
}
