import { defineConfig } from 'vitest/config';
import { ByName } from './e2e/cluster/by-name.ts';

/** Machines and clusters are emulated: what takes a second on a real one may take ten. */
const emulatedTimeoutMs = 180_000;
const clusterStartMs = 10 * 60_000;

/** Stress that takes minutes for each kernel: `make test-deep`. */
const deepTests = process.env['PALISADE_DEEP'] === '1' ? ['e2e/kernels/**/*.deep.ts'] : [];

export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'e2e/host/*.test.ts',
            'e2e/setup/*.test.ts',
            'e2e/vm/*.test.ts',
            'e2e/cluster/*.test.ts',
            'bench/*.test.ts',
          ],
        },
      },
      {
        test: {
          // A real API server without nodes.
          name: 'api',
          include: ['e2e/api/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: emulatedTimeoutMs,
          hookTimeout: clusterStartMs,
        },
      },
      {
        test: {
          // Loader and engine on every kernel, without Kubernetes.
          name: 'kernels',
          include: ['e2e/kernels/**/*.test.ts', 'e2e/standalone/**/*.test.ts', ...deepTests],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 2 * emulatedTimeoutMs,
          hookTimeout: emulatedTimeoutMs,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['e2e/cluster/tests/**/*.test.ts'],
          globalSetup: ['e2e/cluster/cluster-fixture.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: emulatedTimeoutMs,
          hookTimeout: clusterStartMs,
        },
      },
      {
        test: {
          name: 'clone',
          include: ['e2e/clone/**/*.test.ts'],
          pool: 'forks',
          testTimeout: clusterStartMs,
          hookTimeout: clusterStartMs,
        },
      },
    ],
  },
});
