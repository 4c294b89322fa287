import { expect, test } from 'vitest';
import { formatListenAddress, parseListenAddress } from './listen-address.ts';

test.each([
  ['127.0.0.1:9090', { host: '127.0.0.1', port: 9090 }],
  [':8443', { host: '::', port: 8443 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
])('%s is understood', (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each(['9090', 'host', '127.0.0.1:', 'a:99999', '::1:80', 'a b:1', ''])('%j is refused with what would be right', (text) => {
  expect(() => parseListenAddress(text)).toThrow('write host:port');
});

test('an address of IPv6 is written with brackets', () => {
  expect(formatListenAddress({ host: '::1', port: 1 })).toBe('[::1]:1');
});
