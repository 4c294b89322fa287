import { MAX_CONDITION_MESSAGE_CHARS } from '../../policy/schema/status.ts';
import { formatProblem, type Problem } from '../../policy/problem.ts';
import { oneLine } from '../../protocol/one-line.ts';
import type { FailureGroup, Tally } from './tally.ts';

/** One line that moves no cursor. Cuts at a character, never inside one, and shows that it did. */
export function bounded(words: string, maxChars: number): string {
  const text = oneLine(words);
  if (text.length <= maxChars) {
    return text;
  }
  const cut = text.slice(0, maxChars - 1);
  const last = cut.charCodeAt(cut.length - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return `${isHalf ? cut.slice(0, -1) : cut}…`;
}

export function conditionMessage(text: string): string {
  return bounded(text, MAX_CONDITION_MESSAGE_CHARS);
}

export function problemsMessage(problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const first = errors[0];
  if (first === undefined) {
    return 'The spec is not valid';
  }
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${bounded(formatProblem(first), MAX_CONDITION_MESSAGE_CHARS - more.length)}${more}`;
}

/** `4985 of 4996 nodes run it; 8 unhealthy, 3 unreachable`. */
export function loadedMessage(tally: Tally): string {
  const { counts } = tally;
  const asides = [
    counts.joining > 0 ? `${counts.joining} joining` : '',
    counts.unhealthy > 0 ? `${counts.unhealthy} unhealthy` : '',
    counts.unreachable > 0 ? `${counts.unreachable} unreachable` : '',
  ].filter((text) => text !== '');
  return [runMessage(tally), ...(asides.length > 0 ? [asides.join(', ')] : [])].join('; ');
}

export function waitingMessage(tally: Tally): string {
  const { counts } = tally;
  return `${runMessage(tally)}; waiting for ${counts.pending + counts.joining}`;
}

function runMessage(tally: Tally): string {
  return `${tally.counts.loaded} of ${nodes(tally.counts.matched)} ${tally.counts.matched === 1 ? 'runs' : 'run'} it`;
}

/** `188 of 4996 nodes cannot load it: FunctionNotFound at kprobe:foo on 188 (kernel 5.10.0-28)`. */
export function failedMessage(tally: Tally): string {
  const failed = tally.groups.filter((group) => group.weight === 'failed');
  const causes = failed.slice(0, 3).map(causeMessage);
  const more = failed.length > 3 ? [`and ${failed.length - 3} more causes`] : [];
  const older = tally.failedOlder > 0 ? `; an older version goes on running on ${tally.failedOlder}` : '';
  return `${tally.counts.failed} of ${nodes(tally.counts.matched)} cannot load it: ${[...causes, ...more].join(', ')}${older}`;
}

export function cannotEnforceMessage(tally: Tally): string {
  const limited = tally.groups.filter((group) => group.weight === 'limited');
  const causes = limited.slice(0, 3).map(causeMessage).join(', ');
  const why = causes === '' ? '' : `: ${causes}`;
  return `${tally.cannotEnforce} of ${nodes(tally.counts.matched)} ${tally.cannotEnforce === 1 ? 'runs' : 'run'} it but cannot deny or kill${why}`;
}

function causeMessage(group: FailureGroup): string {
  const where = group.hook === '' ? '' : ` at ${group.hook}`;
  const kernels = group.kernels.length === 0 ? '' : ` (kernel ${group.kernels.join(', ')})`;
  return `${group.reason}${where} on ${group.nodes}${kernels}`;
}

export function nodes(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}
