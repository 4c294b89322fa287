import { LIMITS } from '../limits.ts';
import type { PlanArg, PlanHookKind } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ArgumentSpec } from '../schema/arguments.ts';
import { SUPPORTED_ARG_TYPES, UNSUPPORTED_ARG_FIELDS, notSupported, refuseFields } from './unsupported.ts';

/** An argument as declared, with what is needed to check filters on it; `plan` is null if its type does not compile. */
export type DeclaredArg = { readonly spec: ArgumentSpec; readonly plan: PlanArg | null };

export function compileArguments(
  sink: ProblemSink,
  path: string,
  kind: PlanHookKind,
  specs: readonly ArgumentSpec[],
): readonly DeclaredArg[] {
  if (specs.length > LIMITS.argsPerHook) {
    sink.error('TooManySlots', path, `${specs.length} arguments`, `at most ${LIMITS.argsPerHook}`);
  }
  return specs.map((spec, position) => {
    const at = fieldPath(path, position);
    refuseFields(sink, at, spec, UNSUPPORTED_ARG_FIELDS);
    checkIndex(sink, at, kind, spec.index);
    checkLabel(sink, fieldPath(at, 'label'), spec.label ?? '');
    const type = SUPPORTED_ARG_TYPES[spec.type];
    if (type === undefined) {
      refuseType(sink, fieldPath(at, 'type'), spec.type);
      return { spec, plan: null };
    }
    return { spec, plan: { index: spec.index, type, label: spec.label ?? '' } };
  });
}

function checkIndex(sink: ProblemSink, at: string, kind: PlanHookKind, index: number): void {
  const max = kind === 'tracepoint' ? LIMITS.maxTracepointFieldIndex : LIMITS.maxArgIndex;
  if (index > max) {
    sink.error('ArgIndexOutOfRange', fieldPath(at, 'index'), `there is no argument ${index}`, `at most ${max}`);
  }
}

function checkLabel(sink: ProblemSink, path: string, label: string): void {
  const bytes = Buffer.byteLength(label);
  if (bytes > LIMITS.labelBytes) {
    sink.error('ValueTooLong', path, `${bytes} bytes is too long`, `at most ${LIMITS.labelBytes}`);
  }
}

function refuseType(sink: ProblemSink, path: string, type: ArgumentSpec['type']): void {
  if (type === 'auto') {
    notSupported(sink, path, 'the type "auto" (the default) is not supported yet', 'name the type, for example "int" or "file"');
  } else {
    notSupported(sink, path, `type ${quote(type)} is not supported yet`);
  }
}
