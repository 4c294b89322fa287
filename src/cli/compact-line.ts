/**
 * One line per event for people: `ICON LABEL NAMESPACE/POD BINARY DETAIL`. What upstream's CLI prints, with two differences: an enforced
 * event is `🔴 SIGKILL …` or `🔴 OVERRIDE …` and names what was denied, and lines of a policy end with ` (POLICY)`.
 */
import { policyOf, type AgentEvent, type EventArgument, type EventProcess, type ProcessKprobe } from '../nodeagent/events/event.ts';
import { EXEMPT_TAG, WOULD_TAG } from '../nodeagent/events/hook-event.ts';

export type LineStyle = { readonly color: boolean };

export function compactLine(event: AgentEvent, style: LineStyle): string {
  try {
    return knownLine(event, style);
  } catch {
    // What a node says is not checked member by member: it may be of a newer version, or lie. The others shall be shown.
    return `❔ ${visible(JSON.stringify(event))}`;
  }
}

function knownLine(event: AgentEvent, style: LineStyle): string {
  const policy = policyOf(event);
  const parts = lineParts(event);
  const label = style.color ? paint(parts.label.padEnd(7), parts.tone) : parts.label.padEnd(7);
  const words = [`${parts.icon} ${label}`, ...parts.words.filter((word) => word !== '')];
  return `${words.join(' ')}${policy === undefined ? '' : ` (${policy})`}`;
}

type Tone = 'bad' | 'warn' | 'plain';
type LineParts = { readonly icon: string; readonly label: string; readonly tone: Tone; readonly words: readonly string[] };

function lineParts(event: AgentEvent): LineParts {
  if ('process_exec' in event) {
    const { process } = event.process_exec;
    return { icon: '🚀', label: 'process', tone: 'plain', words: [...who(event, process), visible(process.arguments ?? '')] };
  }
  if ('process_exit' in event) {
    const { process, signal, status } = event.process_exit;
    return {
      icon: '💥',
      label: 'exit',
      tone: 'plain',
      words: [...who(event, process), visible(process.arguments ?? ''), signal ?? String(status ?? 0)],
    };
  }
  if ('palisade_loss' in event) {
    const loss = event.palisade_loss;
    const where = loss.ring === undefined ? '' : `${loss.ring} ring, CPU ${loss.cpu ?? 0}`;
    return { icon: '❗', label: 'lost', tone: 'warn', words: [event.node_name, `${loss.count} events`, loss.reason, where] };
  }
  if ('process_kprobe' in event) return verdict(event, event.process_kprobe, kprobeParts(event.process_kprobe));
  if ('process_lsm' in event) {
    const lsm = event.process_lsm;
    return verdict(event, lsm, { icon: '🔒', label: 'LSM', words: [lsm.function_name, firstPlace(lsm.args)] });
  }
  const point = event.process_tracepoint;
  return verdict(event, point, tracepointParts(point));
}

type Shown = {
  readonly process: EventProcess;
  readonly action: string;
  readonly args?: readonly EventArgument[];
  readonly tags?: readonly string[];
};
type Detail = { readonly icon: string; readonly label: string; readonly words: readonly string[] };

function verdict(event: AgentEvent, shown: Shown, detail: Detail): LineParts {
  const action = shown.action.replace('KPROBE_ACTION_', '');
  const place = firstPlace(shown.args);
  const what = place === '' ? detail.words.join(' ') : place;
  if (action === 'SIGKILL' || action === 'OVERRIDE') {
    return { icon: '🔴', label: action, tone: 'bad', words: [...who(event, shown.process), what] };
  }
  const would = shown.tags?.find((tag) => tag.startsWith(WOULD_TAG))?.slice(WOULD_TAG.length);
  if (would !== undefined) return { icon: '🟡', label: `would ${would}`, tone: 'warn', words: [...who(event, shown.process), what] };
  const exempt = shown.tags?.includes(EXEMPT_TAG) === true ? ['exempt'] : [];
  return { icon: detail.icon, label: detail.label, tone: 'plain', words: [...who(event, shown.process), ...detail.words, ...exempt] };
}

/** Functions whose line upstream writes in words of its own; the number is the argument that is shown. */
const KNOWN_CALLS: ReadonlyMap<string, { readonly icon: string; readonly label: string; readonly arg: number | null }> = new Map([
  ['sys_write', { icon: '📝', label: 'write', arg: 0 }],
  ['sys_read', { icon: '📚', label: 'read', arg: 0 }],
  ['fd_install', { icon: '📬', label: 'open', arg: 1 }],
  ['sys_openat', { icon: '📬️', label: 'openat', arg: 1 }],
  ['sys_open', { icon: '📬️', label: 'open', arg: 0 }],
  ['sys_close', { icon: '📪', label: 'close', arg: 0 }],
  ['sys_mount', { icon: '💾', label: 'mount', arg: 0 }],
  ['sys_pivot_root', { icon: '💾', label: 'pivot_root', arg: 0 }],
  ['sys_setuid', { icon: '🔑', label: 'setuid', arg: 0 }],
  ['sys_clock_settime', { icon: '⏰', label: 'clock_settime', arg: null }],
  ['proc_exec_connector', { icon: '🔧', label: 'proc_exec_connector', arg: null }],
  ['security_file_permission', { icon: '❓', label: 'security_file_permission', arg: 0 }],
  ['security_mmap_file', { icon: '📝', label: 'mmap-rwx', arg: 0 }],
  ['security_path_truncate', { icon: '📝', label: 'truncate', arg: 0 }],
  ['security_file_truncate', { icon: '📝', label: 'truncate', arg: 0 }],
]);

function kprobeParts(kprobe: ProcessKprobe): Detail {
  const name = kprobe.function_name.replace(/^__(?:x64|arm64|ia32)_/, '');
  const known = KNOWN_CALLS.get(name);
  if (known === undefined) return { icon: '❓', label: 'syscall', words: [kprobe.function_name, firstPlace(kprobe.args)] };
  const arg = known.arg === null ? undefined : kprobe.args?.[known.arg];
  return { icon: known.icon, label: known.label, words: [arg === undefined ? firstPlace(kprobe.args) : argumentText(arg)] };
}

function tracepointParts(point: { subsys: string; event: string; args?: readonly EventArgument[] }): Detail {
  if (point.subsys === 'raw_syscalls' && point.event === 'sys_enter') {
    return { icon: '☎ ', label: 'syscall', words: [(point.args ?? []).map(argumentText).join(' ')] };
  }
  return { icon: '⁉️', label: 'tracepoint', words: [point.subsys, point.event] };
}

function who(event: AgentEvent, process: EventProcess): string[] {
  const { pod } = process;
  const place = pod?.name === undefined ? event.node_name : `${pod.namespace ?? ''}/${pod.name}`;
  return [quoted(place), quoted(process.binary === '' ? `pid ${process.pid}` : process.binary)];
}

/** The first path or text among the arguments: what the event is about. */
function firstPlace(args: readonly EventArgument[] | undefined): string {
  const arg = args?.find((one) => 'file_arg' in one || 'path_arg' in one || 'string_arg' in one);
  return arg === undefined ? '' : argumentText(arg);
}

function argumentText(arg: EventArgument): string {
  if ('file_arg' in arg) return quoted(arg.file_arg.path);
  if ('path_arg' in arg) return quoted(arg.path_arg.path);
  if ('string_arg' in arg) return quoted(arg.string_arg);
  if ('int_arg' in arg) return String(arg.int_arg);
  if ('uint_arg' in arg) return String(arg.uint_arg);
  if ('long_arg' in arg) return arg.long_arg;
  if ('size_arg' in arg) return arg.size_arg;
  return `<${arg.error_arg.Message}>`;
}

/** Spaces stay, characters that a terminal would obey do not. */
function visible(text: string): string {
  return text.replaceAll(/\p{C}/gu, escapeChar);
}

/** Quoted where it has spaces or could move the terminal's cursor: names come from tenants. */
function quoted(text: string): string {
  return /^[^\s\p{C}"]*$/u.test(text) ? text : JSON.stringify(text).replaceAll(/[\p{Cf}\u007f-\u009f]/gu, escapeChar);
}

function escapeChar(char: string): string {
  return `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

function paint(text: string, tone: Tone): string {
  if (tone === 'plain') return text;
  return `\u001b[${tone === 'bad' ? '1;31' : '33'}m${text}\u001b[0m`;
}
