import { describe, expect, it } from 'vitest';
import { mapStrings, withWebhookAddress } from './manifests.ts';

describe('manifests of the development cluster', () => {
  it('name a webhook on the host by its address, and keep path and authority', () => {
    const manifest = {
      webhooks: [{ name: 'a', clientConfig: { caBundle: 'x', service: { name: 's', namespace: 'n', path: '/admission', port: 443 } } }],
    };
    expect(withWebhookAddress(manifest, 'https://127.0.0.1:9')).toEqual({
      webhooks: [{ name: 'a', clientConfig: { caBundle: 'x', url: 'https://127.0.0.1:9/admission' } }],
    });
  });

  it('leave what has no webhooks as it is', () => {
    const manifest = { kind: 'Namespace' };
    expect(withWebhookAddress(manifest, 'https://127.0.0.1:9')).toBe(manifest);
  });

  it('have strings changed wherever they stand, and nothing else', () => {
    expect(mapStrings({ a: ['x', { b: 'x', c: 1 }], d: null }, (text) => text.toUpperCase())).toEqual({
      a: ['X', { b: 'X', c: 1 }],
      d: null,
    });
  });
});
