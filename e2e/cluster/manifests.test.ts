import { describe, expect, it } from 'vitest';
import { mapStrings, withAgentFlags, withWebhookAddress } from './manifests.ts';

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

  it("give the agent's command further flags, and no other command", () => {
    const manifest = { spec: { containers: [{ command: ['agent', '--hub-url=wss://a'] }, { command: ['loader', 'serve'] }] } };
    expect(withAgentFlags(manifest, ['--activity=2s'])).toEqual({
      spec: { containers: [{ command: ['agent', '--hub-url=wss://a', '--activity=2s'] }, { command: ['loader', 'serve'] }] },
    });
  });

  it('have strings changed wherever they stand, and nothing else', () => {
    expect(mapStrings({ a: ['x', { b: 'x', c: 1 }], d: null }, (text) => text.toUpperCase())).toEqual({
      a: ['X', { b: 'X', c: 1 }],
      d: null,
    });
  });
});
