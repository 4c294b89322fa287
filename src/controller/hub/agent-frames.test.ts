import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HUB_CLOSE } from '../../protocol/hub-frames.ts';
import { fakeHello } from '../testing/fake-agent.ts';
import { readCatalogue, readFrame, refusalOf } from './agent-frames.ts';

const identity = { node: 'a', podName: 'agent-a', podUid: 'u' };

describe('frames of agents are hostile input', () => {
  test('whatever text comes, it is a frame or a bounded reason', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify({ t: 'report', exceptions: value })),
    );
    fc.assert(
      fc.property(text, (data) => {
        const frame = readFrame(data);
        expect(typeof frame === 'object' || frame.length <= 100).toBe(true);
      }),
    );
  });

  test('whatever bytes come, they are names or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readCatalogue(Buffer.from([3, ...bytes]), 'ab'.repeat(32))).toBeNull();
      }),
    );
  });
});

describe('a hello', () => {
  const hello = fakeHello({ node: 'a' });

  test('of this node and a common version is welcome', () => {
    expect(refusalOf(hello, identity)).toBeNull();
    expect(refusalOf({ ...hello, protocol: { min: 0, max: 9 } }, identity)).toBeNull();
  });

  test('without a common version is told which one there is', () => {
    expect(refusalOf({ ...hello, protocol: { min: 2, max: 3 } }, identity)).toMatchObject({ code: HUB_CLOSE.version });
  });

  test('for another node, or with a build that is not its kernel, is refused', () => {
    expect(refusalOf({ ...hello, node: 'b' }, identity)).toMatchObject({ label: 'impostor' });
    expect(refusalOf({ ...hello, facts: {} }, identity)).toMatchObject({ code: HUB_CLOSE.malformed });
  });
});
