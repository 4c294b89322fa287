import { LIMITS } from '../limits.ts';
import type { PlanHook } from '../plan.ts';
import type { PlanUserProbe } from '../plan-probes.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { UprobeSpec, UsdtSpec } from '../schema/hooks.ts';
import { textSet } from '../value-sets.ts';
import { compileBody } from './hook-body.ts';
import type { PolicyContext } from './hook-context.ts';
import { compileProbeSymbol } from './symbols.ts';

export function compileUprobe(sink: ProblemSink, policy: PolicyContext, index: number, spec: UprobeSpec): PlanHook {
  const path = fieldPath('spec.uprobes', index);
  const points = compilePoints(sink, path, spec);
  const digests = compileDigests(sink, fieldPath(path, 'binaryDigests'), spec.binaryDigests ?? []);
  const ignoreMissing = spec.ignore?.digestVerificationFailure === true;
  if (ignoreMissing && digests.length === 0) {
    const at = fieldPath(fieldPath(path, 'ignore'), 'digestVerificationFailure');
    sink.error('UselessField', at, 'says nothing without binaryDigests');
  }
  const file = compileFile(sink, fieldPath(path, 'path'), spec.path);
  const btf = compileBtfFile(sink, path, spec.btfPath ?? '');
  const kind = 'uprobe';
  const head = { path, kind, target: file, canDeny: false, hasBtfFile: btf.btfFile !== undefined } as const;
  return {
    kind,
    section: 'uprobes',
    index,
    path,
    target: file,
    syscall: false,
    ...(ignoreMissing ? { ignoreMissing } : {}),
    user: { file, ...points, ...btf, ...(digests.length === 0 ? {} : { digests }) },
    ...compileBody(sink, policy, head, spec),
  };
}

export function compileUsdt(sink: ProblemSink, policy: PolicyContext, index: number, spec: UsdtSpec): PlanHook {
  const path = fieldPath('spec.usdts', index);
  for (const field of ['provider', 'name'] as const) {
    if (!USDT_PART.test(spec[field])) {
      sink.error('BadHookName', fieldPath(path, field), `${quote(spec[field])} is no ${field} of a user-level tracepoint`);
    }
  }
  const file = compileFile(sink, fieldPath(path, 'path'), spec.path);
  const btf = compileBtfFile(sink, path, spec.btfPath ?? '');
  const kind = 'usdt';
  const head = { path, kind, target: file, canDeny: false, hasBtfFile: btf.btfFile !== undefined } as const;
  return {
    kind,
    section: 'usdts',
    index,
    path,
    target: file,
    syscall: false,
    user: { file, provider: spec.provider, name: spec.name, ...btf },
    ...compileBody(sink, policy, head, spec),
  };
}

const USDT_PART = /^[A-Za-z_][A-Za-z0-9_.:-]{0,126}$/;

type Points = Pick<PlanUserProbe, 'symbols' | 'offsets' | 'addresses' | 'semaphores'>;

function compilePoints(sink: ProblemSink, path: string, spec: UprobeSpec): Points {
  const given = (['symbols', 'offsets', 'addrs'] as const).filter((field) => (spec[field] ?? []).length > 0);
  const [field, other] = given;
  if (field === undefined || other !== undefined) {
    const message = field === undefined ? 'the uprobe sits nowhere' : `${given.join(' and ')} cannot be had together`;
    sink.error('ProbeAddressing', path, message, 'give exactly one of symbols, offsets and addrs');
    return {};
  }
  const at = fieldPath(path, field);
  const count = spec[field]?.length ?? 0;
  if (count > LIMITS.probePoints) {
    sink.error('SetTooLarge', at, `${count} ${field}`, `at most ${LIMITS.probePoints}`);
  }
  const points = pointsOf(sink, at, field, spec);
  const seen = points.find((point, position) => points.indexOf(point) !== position);
  if (seen !== undefined) {
    sink.error('RepeatedName', at, `${quote(seen)} is given twice`);
  }
  const semaphores = (spec.refCtrOffsets ?? []).map(String);
  if (semaphores.length > 0 && semaphores.length !== count) {
    const hint = 'one for each, in the same order; 0 where there is none';
    sink.error('ProbeAddressing', fieldPath(path, 'refCtrOffsets'), `${semaphores.length} entries for ${count} ${field}`, hint);
  }
  return { [field === 'addrs' ? 'addresses' : field]: points, ...(semaphores.length === 0 ? {} : { semaphores }) };
}

function pointsOf(sink: ProblemSink, at: string, field: 'symbols' | 'offsets' | 'addrs', spec: UprobeSpec): readonly string[] {
  return field === 'symbols'
    ? (spec.symbols ?? []).map((symbol, index) => compileProbeSymbol(sink, fieldPath(at, index), symbol))
    : (spec[field] ?? []).map(String);
}

/** Absolute, without dots and doubled slashes; the text is what the node opens. */
function compileFile(sink: ProblemSink, path: string, text: string): string {
  const isPath = text.startsWith('/') && !text.includes('\0') && text.isWellFormed() && !text.endsWith('/');
  if (!isPath || text.split('/').some((part) => part === '..')) {
    sink.error('BadFilePath', path, `${quote(text)} is no absolute path of a file`, 'for example "/usr/bin/bash"');
  } else if (Buffer.byteLength(text) > LIMITS.fileBytes) {
    sink.error('ValueTooLong', path, `${Buffer.byteLength(text)} bytes is too long`, `at most ${LIMITS.fileBytes}`);
  }
  return text.replaceAll(/\/(?:\.?\/)+/g, '/');
}

function compileBtfFile(sink: ProblemSink, path: string, text: string): Pick<PlanUserProbe, 'btfFile'> {
  return text === '' ? {} : { btfFile: compileFile(sink, fieldPath(path, 'btfPath'), text) };
}

/** Hexadecimal digits of each kind of digest; build ids have any length of whole bytes. */
const DIGEST_CHARS: ReadonlyMap<string, number> = new Map([
  ['sha1', 40],
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

function compileDigests(sink: ProblemSink, path: string, texts: readonly string[]): readonly string[] {
  if (texts.length > LIMITS.digestsPerProbe) {
    sink.error('SetTooLarge', path, `${texts.length} digests`, `at most ${LIMITS.digestsPerProbe}`);
  }
  for (const [index, text] of texts.entries()) {
    const [, kind, hex] = /^([a-z0-9-]+):([0-9a-f]+)$/.exec(text.toLowerCase()) ?? [];
    const at = fieldPath(path, index);
    if (kind === undefined || hex === undefined || !(DIGEST_CHARS.has(kind) || kind === 'build-id')) {
      sink.error('BadDigest', at, `${quote(text)} is no digest`, 'sha1, sha256, sha384, sha512 or build-id, ":", hexadecimal digits');
    } else if (kind === 'build-id' ? hex.length % 2 === 1 || hex.length > 128 : hex.length !== DIGEST_CHARS.get(kind)) {
      const hint = kind === 'build-id' ? 'an even number, at most 128' : `${DIGEST_CHARS.get(kind)}`;
      sink.error('BadDigest', at, `${hex.length} hexadecimal digits do not make a ${kind}`, hint);
    }
  }
  return textSet(texts.map((text) => text.toLowerCase()));
}
