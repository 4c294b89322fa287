import { describe, expect, it } from 'vitest';
import { isJsonObject, withoutNulls } from '../plain-json.ts';
import { MAX_PROBLEMS, createProblemSink, formatProblem } from '../problem.ts';
import { tracingPolicySpec } from '../schema/spec.ts';
import { addShapeProblems } from '../shape-problems.ts';
import { ODD_VALUES, mutate, placesIn } from '../testing/mutation.ts';
import { policyObject, problemsOf } from '../testing/policies.ts';
import { WHOLE_LANGUAGE } from '../testing/whole-language.ts';

/** What is wrong with the shape of a spec, and nothing else; undefined: it has a good one. */
function shapeProblemsOf(spec: unknown): string[] | undefined {
  const input = withoutNulls(spec);
  const read = tracingPolicySpec.safeParse(input);
  if (read.success) return undefined;
  const sink = createProblemSink();
  addShapeProblems(sink, 'spec', tracingPolicySpec, input, read.error.issues);
  return sink.list().map(formatProblem);
}

/** Copies with one field misspelt, each in turn. */
function* misspelt(value: unknown): Generator {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) for (const other of misspelt(item)) yield value.with(index, other);
  } else if (isJsonObject(value)) {
    for (const [key, child] of Object.entries(value)) {
      const { [key]: _, ...rest } = value;
      yield { ...rest, [`${key.slice(0, 1)}x${key.slice(1)}`]: child };
      for (const other of misspelt(child)) yield { ...value, [key]: other };
    }
  }
}

/** None of them is a list of several things, which may be several too many. */
const ODD = ODD_VALUES.filter((value) => value === true || value === 'x' || JSON.stringify(value) === '[{}]');

describe('a policy that is right but for one thing of a wrong shape', () => {
  it.each(WHOLE_LANGUAGE)(
    'is told of that thing alone, whichever it is: %s',
    (_, spec) => {
      const places = Array.from({ length: placesIn(spec) }, (_, at) => at);
      const odd = places.flatMap((at) => ODD.map((value) => mutate(spec, { kind: 'replace', at, with: ODD_VALUES.indexOf(value) })));
      const without = places.map((at) => mutate(spec, { kind: 'remove', at, with: 0 }));
      const noise = new Set<string>();
      for (const changed of [...misspelt(spec), ...odd, ...without]) {
        const wanted = shapeProblemsOf(changed);
        if (wanted === undefined) continue;
        const said = problemsOf(policyObject(isJsonObject(changed) ? changed : {}));
        for (const line of said.filter((each) => !wanted.includes(each))) noise.add(`${line}   BECAUSE ${wanted[0]}`);
      }
      expect([...noise]).toEqual([]);
    },
    120_000,
  );
});

describe('a policy with things of a wrong shape is told at once what else is wrong', () => {
  const fields = (object: unknown): string[] => problemsOf(object).map((line) => line.slice(0, line.indexOf(': ')));
  const number = { index: 1, type: 'int' };
  const path = { index: 0, type: 'file' };
  const hook = { call: 'security_file_open', syscall: false, args: [path, number] };
  const onPath = { index: 0, operator: 'GT', values: ['1'] };
  const onNumber = { index: 1, operator: 'Equal', values: ['many'] };

  it('in other hooks, options and lists', () => {
    const spec = {
      kprobes: [
        { ...hook, mesage: 'x' },
        { ...hook, selectors: [{ matchArgs: [onPath] }] },
      ],
      options: [{ name: 'policy-mod', value: 'monitor' }],
      lists: [{ name: 'a', type: 'syscalls', values: ['dup'] }],
    };
    expect(fields(policyObject(spec))).toEqual([
      'spec.kprobes[0].mesage',
      'spec.options[0].name',
      'spec.lists[0].values[0]',
      'spec.kprobes[1].selectors[0].matchArgs[0].operator',
    ]);
  });

  it('in the fields beside it', () => {
    const selectors = [{ matchArgs: [onPath], matchActons: [], label: 'x'.repeat(200) }];
    expect(
      fields(policyObject({ kprobes: [{ call: 'no name', syscall: false, args: [path], mesage: 'x', tags: ['a'], selectors }] })),
    ).toEqual([
      'spec.kprobes[0].selectors[0].matchActons',
      'spec.kprobes[0].mesage',
      'spec.kprobes[0].call',
      'spec.kprobes[0].tags[0]',
      'spec.kprobes[0].selectors[0].matchArgs[0].operator',
      'spec.kprobes[0].selectors[0].label',
    ]);
  });

  it('in the same hook, where what is wrong does not decide about it', () => {
    const selectors = [
      { matchArgs: [{ ...onPath, valuess: [] }, onNumber], matchBinaries: [{ operator: 'In', values: ['nc'] }] },
      { matchActons: [], matchArgs: [onPath] },
    ];
    expect(fields(policyObject({ kprobes: [{ ...hook, selectors }] }))).toEqual([
      'spec.kprobes[0].selectors[0].matchArgs[0].valuess',
      'spec.kprobes[0].selectors[1].matchActons',
      'spec.kprobes[0].selectors[0].matchBinaries[0].values[0]',
      'spec.kprobes[0].selectors[0].matchArgs[1].values[0]',
      'spec.kprobes[0].selectors[1].matchArgs[0].operator',
    ]);
  });

  it('of arguments whose neighbour has a misspelt type, and not of that neighbour', () => {
    const args = [{ ...path, type: 'fil' }, number];
    const spec = { kprobes: [{ ...hook, args, selectors: [{ matchArgs: [onPath, onNumber] }] }] };
    expect(fields(policyObject(spec))).toEqual(['spec.kprobes[0].args[0].type', 'spec.kprobes[0].selectors[0].matchArgs[1].values[0]']);
  });

  it('of its filters on processes and parameters of actions, where it is not known what kind of function the hook is on', () => {
    const selectors = [
      { matchArgs: [onPath], matchPIDs: [{ operator: 'In', values: [] }], matchActions: [{ action: 'Override', argError: 1 }] },
    ];
    expect(fields(policyObject({ kprobes: [{ call: 'do_filp_open', syscal: false, args: [path], selectors }] }))).toEqual([
      'spec.kprobes[0].syscal',
      'spec.kprobes[0].selectors[0].matchActions[0].argError',
      'spec.kprobes[0].selectors[0].matchPIDs[0].values',
    ]);
  });

  it('of parts that a namespaced policy cannot have, whatever stands in them', () => {
    const spec = { lsmhooks: [{ hook: 'file_open' }], hostSelector: { matchLabels: {} } };
    expect(fields(policyObject(spec, 'TracingPolicyNamespaced'))).toEqual(['spec.hostSelector', 'spec.hostSelector']);
  });

  it('when its name is wrong, or its kind', () => {
    const wrong = policyObject({ kprobes: [{ ...hook, selectors: [{ matchArgs: [onPath] }] }] });
    const field = 'spec.kprobes[0].selectors[0].matchArgs[0].operator';
    expect(fields({ ...wrong, metadata: { name: 'No Name' } })).toEqual(['metadata.name', field]);
    expect(fields({ ...wrong, kind: 'TracingPolcy' })).toEqual(['kind', field]);
    expect(fields({ ...wrong, metadata: undefined })).toEqual(['metadata', field]);
  });

  it('beside a rule over several fields, which is told once', () => {
    const spec = {
      kprobes: [{ ...hook, return: true, selectors: [{ matchArgs: [onPath], matchReturnArgs: [onNumber], label: 'x'.repeat(200) }] }],
    };
    expect(fields(policyObject(spec))).toEqual(['spec.kprobes[0]', 'spec.kprobes[0].selectors[0].label']);
  });

  it('as much as anybody reads, and no more', () => {
    const many = Array.from({ length: 40 });
    const spec = { kprobes: Array.from({ length: 80 }, () => ({ ...hook, selectors: [{ matchArgs: [onPath], x: 1 }] })) };
    const lines = problemsOf(policyObject(spec));
    expect(lines).toHaveLength(MAX_PROBLEMS + 1);
    expect(lines.at(-1)).toBe('spec: and 60 more problems');
    const one = {
      kprobes: spec.kprobes.map((each, index) => (index === 0 ? each : { ...each, selectors: many.map(() => ({ matchArgs: [onPath] })) })),
    };
    expect(problemsOf(policyObject(one)).at(-1)).toBe('spec: and at least 2 more problems');
  });
});
