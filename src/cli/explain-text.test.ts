import { expect, it } from 'vitest';
import { explainText } from './explain-text.ts';
import { PLAIN } from './output-style.ts';

it('an explanation is wrapped, and shows what a terminal would obey instead of doing it', () => {
  const text = explainText(
    {
      source: 'p.yaml',
      title: 'TracingPolicy p',
      explanation: {
        summary: 'kills',
        who: ['all'],
        hooks: [
          {
            path: 'spec.kprobes[0]',
            when: 'something happens',
            reads: [],
            rules: [
              { path: 'a', conditions: ['one holds'], effects: ['this'] },
              { path: 'b', conditions: ['two holds', 'three holds'], effects: ['that', 'this', 'more'] },
              { path: 'c', conditions: [], effects: ['the rest'], atReturn: { conditions: [], effects: ['an event is sent'] } },
            ],
            hasRest: false,
            remarks: ['events are tagged \u001b[2Jx\n'],
          },
        ],
        beside: [],
        cost: { class: 'low', reasons: ['spec.kprobes[0]: it is rare'] },
      },
      kernels: [{ kernels: ['5.10', '6.1'], loads: false, sentences: ['does not load', 'spec.kprobes[0].call: no such function'] }],
      warnings: [],
    },
    PLAIN,
    40,
  );
  expect(text).toBe(`TracingPolicy p kills.

Whom it is about
  All.

What is watched
  1. When something happens:
     spec.kprobes[0]
     If one holds
     then this.
     Or if two holds,
        and three holds
     then that, this, and more.
     Otherwise the rest.
     When it returns:
       Then an event is sent.
     Events are tagged \\x1b[2Jx\\x0a.

Kernels
  5.10, 6.1: does not load:
    spec.kprobes[0].call: no such
    function.

Cost
  Low.
  spec.kprobes[0]: it is rare.
`);
});
