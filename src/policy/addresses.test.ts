import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNetwork, parseAddress, parseNetwork } from './addresses.ts';

describe('addresses', () => {
  it.each([
    ['2001:0db8:0:0:0:0:2:1', '2001:db8::2:1/128'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1/128'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1/128'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1/128'],
    ['::', '::/128'],
    ['1::', '1::/128'],
    ['64:ff9b::192.0.2.33/96', '64:ff9b::c000:221/96'],
    ['10.0.0.1', '10.0.0.1/32'],
  ])('%s is written %s (RFC 5952)', (text, canonical) => {
    const network = parseNetwork(text);
    expect(network === undefined ? 'none' : formatNetwork(network)).toBe(canonical);
  });

  it('are what Node takes for one, except with a zone', () => {
    const part = fc.constantFrom('0', '1', '10', '255', '256', '01', '.', ':', '::', 'ffff', 'fffff', 'g', '1.2.3.4');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6(),
          fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
        ),
        (text) => {
          expect([text, parseAddress(text)?.length]).toEqual([text, { 4: 4, 6: 16, 0: undefined }[isIP(text)]]);
        },
      ),
    );
  });

  it('have one text: what is written is read as the same', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const network = parseNetwork(text);
        expect(network === undefined ? undefined : parseNetwork(formatNetwork(network))).toEqual(network);
      }),
    );
  });
});
