/**
 * Events as users see them: upstream's JSON shape (protobuf JSON with the original field names), one object per line of the export.
 *
 * Rules of that encoding, kept by whoever builds these objects: default values are omitted (empty text, zero, false, empty lists), except
 * wrapped numbers (`pid`, `uid`, `tid`, `auid`) and members of a oneof (`int_arg: 0`); 64-bit integers are text; enums are names; times are
 * RFC 3339 with nanoseconds.
 */

export type KprobeAction =
  | 'KPROBE_ACTION_UNKNOWN'
  | 'KPROBE_ACTION_POST'
  | 'KPROBE_ACTION_SIGKILL'
  | 'KPROBE_ACTION_OVERRIDE'
  | 'KPROBE_ACTION_NOPOST';

export type EventImage = { id?: string; name?: string };
export type EventContainer = { id?: string; name?: string; image?: EventImage; start_time?: string; pid?: number };
export type EventPod = {
  namespace?: string;
  name?: string;
  uid?: string;
  container?: EventContainer;
  pod_labels?: Readonly<Record<string, string>>;
  workload?: string;
  workload_kind?: string;
};

export type EventProcess = {
  /** base64 of `node:ktime:tgid`. */
  exec_id: string;
  pid: number;
  uid: number;
  cwd?: string;
  binary: string;
  arguments?: string;
  /** Words separated by spaces: `execve clone`, `procFS`, `unknown` … */
  flags: string;
  start_time: string;
  auid?: number;
  pod?: EventPod;
  /** First 31 characters of the container's id. */
  docker?: string;
  parent_exec_id?: string;
  refcnt?: number;
  tid: number;
};

export type EventFile = { path: string; flags?: string; permission?: string };

/** Exactly one of the `*_arg` members, and `label` beside it. */
export type EventArgument = (
  | { string_arg: string }
  | { int_arg: number }
  | { uint_arg: number }
  | { long_arg: string }
  | { size_arg: string }
  | { file_arg: EventFile }
  | { path_arg: EventFile }
  | { error_arg: { Message: string } }
) & { label?: string };

export type ProcessAndParent = { process: EventProcess; parent?: EventProcess };

/** `ancestors`: from the parent's parent upwards. */
export type ProcessAndFamily = ProcessAndParent & { ancestors?: EventProcess[] };

export type ProcessExec = ProcessAndFamily;
export type ProcessExit = ProcessAndFamily & { signal?: string; status?: number; time: string };

export type PolicyVerdict = {
  args?: EventArgument[];
  policy_name: string;
  action: KprobeAction;
  message?: string;
  tags?: string[];
};
export type ProcessKprobe = ProcessAndParent & PolicyVerdict & { function_name: string; return_action?: KprobeAction };
export type ProcessLsm = ProcessAndParent & PolicyVerdict & { function_name: string };
export type ProcessTracepoint = ProcessAndParent & PolicyVerdict & { subsys: string; event: string };

/** Ours, not upstream's: records that the kernel, the loader or the agent had to drop. Without it a gap would look like silence. */
export type EventLoss = {
  reason: LossReason;
  /** Number of records, as text (64 bit). */
  count: string;
  /** `critical` (exec, exit, verdicts) or `telemetry`, where it is known. */
  ring?: string;
  cpu?: number;
};

/**
 * `SequenceGap`: a ring was full. `AgentRestart`: read from the ring by an agent that died before it had exported them. `UnknownPolicy`:
 * matches of a generation whose numbers mean nothing to this agent.
 */
export type LossReason = 'SequenceGap' | 'AgentRestart' | 'UnknownPolicy';

export type EventBody =
  | { process_exec: ProcessExec }
  | { process_exit: ProcessExit }
  | { process_kprobe: ProcessKprobe }
  | { process_lsm: ProcessLsm }
  | { process_tracepoint: ProcessTracepoint }
  | { palisade_loss: EventLoss };

export type AgentEvent = EventBody & { node_name: string; time: string };

/** The policy of an event, or undefined for base events. */
export function policyOf(event: AgentEvent): string | undefined {
  if ('process_kprobe' in event) return event.process_kprobe.policy_name;
  if ('process_lsm' in event) return event.process_lsm.policy_name;
  if ('process_tracepoint' in event) return event.process_tracepoint.policy_name;
  return undefined;
}

/** The process an event is about; undefined for losses. */
export function processOf(event: AgentEvent): EventProcess | undefined {
  if ('process_exec' in event) return event.process_exec.process;
  if ('process_exit' in event) return event.process_exit.process;
  if ('process_kprobe' in event) return event.process_kprobe.process;
  if ('process_lsm' in event) return event.process_lsm.process;
  if ('process_tracepoint' in event) return event.process_tracepoint.process;
  return undefined;
}
