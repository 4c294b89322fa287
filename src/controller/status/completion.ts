import type { PolicyStatus } from '../../policy/schema/status.ts';

/**
 * Whether all nodes have answered once about this generation: latched, so that nodes which join later never move Ready. The latch is read
 * from the stored status, which survives a restart: `Reconciling` stands beside every state before completion and none after it.
 */
export function isCompleted(previous: PolicyStatus | null, generation: number): boolean {
  if (previous?.observedGeneration !== generation || previous.conditions === undefined) {
    return false;
  }
  const of = (type: string): string | undefined => previous.conditions?.find((condition) => condition.type === type)?.status;
  return of('Accepted') === 'True' && of('Compiled') === 'True' && of('Reconciling') !== 'True';
}
