import { describe, expect, it } from 'vitest';
import { loadOrder, parseModulesDep } from './modules.ts';

const dependencies = parseModulesDep(
  'kernel/net_failover.ko.xz: kernel/failover.ko.xz\nkernel/failover.ko.xz:\nkernel/virtio-net.ko.xz: kernel/net_failover.ko.xz kernel/failover.ko.xz\n',
);

describe('the modules of a kernel', () => {
  it('are loaded after those that they need, each once', () => {
    expect(loadOrder(dependencies, ['virtio_net', 'net_failover'])).toEqual([
      'kernel/failover.ko.xz',
      'kernel/net_failover.ko.xz',
      'kernel/virtio-net.ko.xz',
    ]);
  });

  it('that are built in have no file and are skipped', () => {
    expect(loadOrder(dependencies, ['ext4'])).toEqual([]);
  });
});
