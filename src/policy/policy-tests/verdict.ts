import { ERROR_NAMES, errorName, errorNumber } from '../error-numbers.ts';
import type { CallVerdict } from '../evaluate/evaluate.ts';
import { LIMITS } from '../limits.ts';
import { didYouMean } from '../nearest.ts';
import { SIGNALS, signalName } from '../signal-names.ts';

export const ALLOWED: CallVerdict = { errno: null, kill: false, signal: null };

/** What a test expects to happen to a call; the other half of `CallVerdict`. */
export type ExpectedVerdict = {
  /** Not done, but reported: monitor mode. */
  readonly isWould: boolean;
  /** `any`: it fails, with whatever error. */
  readonly errno: number | 'any' | null;
  readonly kill: boolean;
  readonly signal: number | null;
};

export type ReadVerdict =
  | { readonly ok: true; readonly verdict: ExpectedVerdict }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const WORDS = ['allow', 'deny', 'kill', 'signal', 'return', 'would', 'nothing', 'event'];
const FORMS =
  'allow, nothing, event, deny, "deny EPERM", kill, "deny EPERM + kill", "signal SIGTERM", each but the first three also after "would"';

/** `allow`, `deny EPERM + kill`, `would signal 10`. */
export function readVerdict(text: string): ReadVerdict {
  const isWould = /^would\s/.test(text);
  const parts = text
    .replace(/^would\s+/, '')
    .trim()
    .split(/\s*\+\s*/);
  if (parts.length === 1 && parts[0] === 'allow' && !isWould) {
    return { ok: true, verdict: { isWould: false, errno: null, kill: false, signal: null } };
  }
  const read = parts.map(readPart);
  const wrong = read.find((one) => !one.ok);
  if (wrong !== undefined) return wrong;
  const said = read.flatMap((one) => (one.ok ? Object.entries(one.part) : []));
  if (new Set(said.map(([what]) => what)).size < said.length) {
    return { ok: false, message: `${JSON.stringify(text.slice(0, 80))} says two things of a kind`, hint: 'say each once' };
  }
  return { ok: true, verdict: { isWould, errno: null, kill: false, signal: null, ...Object.fromEntries(said) } };
}

type ReadPart =
  | { readonly ok: true; readonly part: Partial<Pick<ExpectedVerdict, 'errno' | 'kill' | 'signal'>> }
  | { readonly ok: false; readonly message: string; readonly hint: string };

function readPart(part: string): ReadPart {
  const [word = '', value, ...rest] = part.split(/\s+/);
  if (rest.length === 0 && word === 'kill' && value === undefined) return { ok: true, part: { kill: true } };
  if (rest.length === 0 && word === 'deny') return readDenial(value);
  if (rest.length === 0 && word === 'return' && value !== undefined && /^-?[0-9]{1,10}$/.test(value)) {
    return { ok: true, part: { errno: Number(value) } };
  }
  if (rest.length === 0 && word === 'signal' && value !== undefined) return readSignal(value);
  return { ok: false, message: `${JSON.stringify(part.slice(0, 40))} is no verdict`, hint: didYouMean(word, WORDS) ?? `use ${FORMS}` };
}

function readDenial(value: string | undefined): ReadPart {
  if (value === undefined) return { ok: true, part: { errno: 'any' } };
  const number = /^-?[0-9]{1,4}$/.test(value) ? Math.abs(Number(value)) : errorNumber(value);
  if (number === undefined || number < 1 || number > LIMITS.maxErrno) {
    const hint = didYouMean(value, ERROR_NAMES) ?? 'for example EPERM, or -1';
    return { ok: false, message: `${JSON.stringify(value.slice(0, 40))} is no error of Linux`, hint };
  }
  return { ok: true, part: { errno: -number } };
}

const SIGKILL = 9;

function readSignal(value: string): ReadPart {
  const number = /^[0-9]{1,2}$/.test(value) ? Number(value) : SIGNALS.get(value);
  if (number === undefined || number < 1 || number > LIMITS.maxSignal) {
    const hint = didYouMean(value, SIGNALS.keys()) ?? `for example SIGTERM, or a number from 1 to ${LIMITS.maxSignal}`;
    return { ok: false, message: `${JSON.stringify(value.slice(0, 40))} is no signal`, hint };
  }
  return { ok: true, part: number === SIGKILL ? { kill: true } : { signal: number } };
}

/** What is done, or what would have been if nothing is done. */
export type Happened = CallVerdict & { readonly isWould: boolean };

export function happened(done: CallVerdict, would: CallVerdict): Happened {
  return isAllowed(done) && !isAllowed(would) ? { ...would, isWould: true } : { ...done, isWould: false };
}

export function isAllowed({ errno, kill, signal }: Omit<ExpectedVerdict, 'isWould'>): boolean {
  return errno === null && !kill && signal === null;
}

export function fits(expected: ExpectedVerdict, actual: Happened): boolean {
  const sameError = expected.errno === 'any' ? actual.errno !== null : expected.errno === actual.errno;
  return expected.isWould === actual.isWould && sameError && expected.kill === actual.kill && expected.signal === actual.signal;
}

/** As tests write it. */
export function formatVerdict(verdict: ExpectedVerdict | Happened): string {
  const { isWould, errno, kill, signal } = verdict;
  const parts = [
    ...(errno === null ? [] : [denialWords(errno)]),
    ...(kill ? ['kill'] : []),
    ...(signal === null ? [] : [`signal ${signalName(signal)}`]),
  ];
  return parts.length === 0 ? 'allow' : `${isWould ? 'would ' : ''}${parts.join(' + ')}`;
}

/** A function of a program can be made to return anything, which is no error of the kernel. */
function denialWords(errno: number | 'any'): string {
  if (errno === 'any') return 'deny';
  return errno < 0 && errno >= -LIMITS.maxErrno ? `deny ${errorName(errno)}` : `return ${errno}`;
}
