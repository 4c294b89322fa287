import type { Kubectl } from './kubectl.ts';
import { waitUntil } from './wait-until.ts';

/**
 * Waits until the API server serves the CRDs that were just applied. `kubectl wait` fails at once on an object that has no
 * conditions yet, which a new CRD is for a moment: that counts as "not yet" here.
 */
export async function crdsEstablished(kubectl: Kubectl): Promise<void> {
  await waitUntil(
    'the CRDs to be established',
    async () => await kubectl.run(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']),
    { timeoutMs: 60_000 },
  );
}
