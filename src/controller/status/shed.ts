import { MAX_FAILURES, type PolicyFailure, type PolicyStatus } from '../../policy/schema/status.ts';

/** Statuses are at most this many bytes of JSON, so that an object with one stays far from etcd's limits and cheap to watch. */
export const MAX_STATUS_BYTES = 8_192;

/**
 * Keeps a status within its bound by giving up detail, least important first: sample nodes, kernels, messages of groups, then whole groups from
 * the tail, which become one group `Other`, then messages of conditions.
 */
export function shed(status: PolicyStatus): PolicyStatus {
  let current = foldGroups(status, MAX_FAILURES);
  const steps: ((status: PolicyStatus) => PolicyStatus)[] = [
    (value) => mapFailures(value, ({ sampleNodes: _sampleNodes, ...rest }) => rest),
    (value) => mapFailures(value, ({ kernels: _kernels, ...rest }) => rest),
    (value) => mapFailures(value, ({ message: _message, ...rest }) => rest),
    ...[5, 2, 1].map((count) => (value: PolicyStatus) => foldGroups(value, count)),
    (value) => shortenMessages(value, 128),
    (value) => shortenMessages(value, 0),
  ];
  for (const step of steps) {
    if (sizeOf(current) <= MAX_STATUS_BYTES) {
      return current;
    }
    current = step(current);
  }
  return current;
}

export function sizeOf(status: PolicyStatus): number {
  return Buffer.byteLength(JSON.stringify(status), 'utf8');
}

function mapFailures(status: PolicyStatus, change: (failure: PolicyFailure) => PolicyFailure): PolicyStatus {
  return status.failures === undefined ? status : { ...status, failures: status.failures.map(change) };
}

/** At most `max` groups; those beyond become one `Other` that keeps their number of nodes. */
function foldGroups(status: PolicyStatus, max: number): PolicyStatus {
  const failures = status.failures ?? [];
  if (failures.length <= max) {
    return status;
  }
  const kept = failures.slice(0, max - 1);
  const folded = failures.slice(max - 1).reduce((sum, failure) => sum + failure.nodes, 0);
  return { ...status, failures: [...kept, { reason: 'Other', nodes: folded }] };
}

function shortenMessages(status: PolicyStatus, maxChars: number): PolicyStatus {
  if (status.conditions === undefined) {
    return status;
  }
  const conditions = status.conditions.map((condition) =>
    condition.message.length <= maxChars ? condition : { ...condition, message: condition.message.slice(0, maxChars) },
  );
  return { ...status, conditions };
}
