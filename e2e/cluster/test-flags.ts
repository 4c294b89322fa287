/**
 * Time constants of the control plane at about a tenth: what takes minutes in a fleet must not take minutes in a test. Agents
 * are pinged less often than that, because an emulated node may be busy for seconds.
 */
const timing = {
  'transition-gap': '200ms',
  'rollout-gap': '200ms',
  'counts-gap': '5s',
  'activity-gap': '3s',
  'activity-period': '2s',
  joining: '30s',
  unreachable: '40s',
  'alarm-hold': '10s',
  heartbeat: '10s',
  'report-jitter': '200ms',
  'goaway-spread': '1s',
  tick: '1s',
} as const;

const agentTiming = {
  'redial-base': '1s',
  'redial-max': '5s',
  'loader-down': '5s',
  'apply-retry': '3s',
  'cgroup-walk': '5s',
  activity: '2s',
} as const;

function flagsOf(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

export const testFlags = { controllerFlags: flagsOf(timing), webhookFlags: [], agentFlags: flagsOf(agentTiming) };
