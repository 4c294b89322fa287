import { HUB_LIMITS, type Report, type Row } from '../../protocol/hub-frames.ts';

export type FittedReport = {
  readonly text: string;
  /** What was left out so that the frame is within its bound; `nothing` nearly always. */
  readonly leftOut: 'nothing' | 'messages' | 'details' | 'rows';
};

/**
 * A report as the frame that is sent. The hub cuts off who sends more than `maxBytes`, and a node of which thousands of policies fail could
 * for ever. So detail goes first: messages, then what the hub assumes anyway and where it failed. If even then rows must go, the node says
 * "applying" and not "applied": the hub takes a policy without a row for loaded only in a set that is applied.
 */
export function reportFrame(report: Report, maxBytes: number = HUB_LIMITS.maxAgentFrameBytes): FittedReport {
  const whole = JSON.stringify(report);
  if (Buffer.byteLength(whole) <= maxBytes) return { text: whole, leftOut: 'nothing' };
  const quiet = JSON.stringify({ ...report, exceptions: report.exceptions.map(withoutMessage) });
  if (Buffer.byteLength(quiet) <= maxBytes) return { text: quiet, leftOut: 'messages' };
  const bare = report.exceptions.filter(saysSomething).map(withoutDetails);
  const short = JSON.stringify({ ...report, exceptions: bare });
  if (Buffer.byteLength(short) <= maxBytes) return { text: short, leftOut: 'details' };
  const head = Buffer.byteLength(JSON.stringify({ ...report, state: 'applying', exceptions: [] }));
  return { text: JSON.stringify({ ...report, state: 'applying', exceptions: firstRows(bare, maxBytes - head) }), leftOut: 'rows' };
}

/** As many as fit, by uid: the same ones every time. */
function firstRows(rows: readonly Row[], maxBytes: number): Row[] {
  const taken: Row[] = [];
  let bytes = 0;
  for (const row of rows.toSorted((a, b) => (a.uid < b.uid ? -1 : 1))) {
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes > maxBytes) break;
    taken.push(row);
  }
  return taken;
}

function withoutMessage({ message: _message, ...row }: Row): Row {
  return row;
}

function withoutDetails({ message: _message, hook: _hook, stage: _stage, errno: _errno, method: _method, ...row }: Row): Row {
  return row;
}

/** Rows of policies that are loaded as wished are there only because the hub has asked for all. */
function saysSomething(row: Row): boolean {
  return row.state !== 'loaded' || row.reason !== '' || row.canEnforce === false;
}
