/** Whether the values that a hook reads are there on a kernel, and are what the policy takes them for. Silent about what is not known. */
import { typeText } from '../btf/types.ts';
import type { KernelFacts } from '../kernel-facts.ts';
import type { PlanHook } from '../plan.ts';
import { comparedAs, fitOf } from './argument-fit.ts';
import type { AttachPoint } from './attach-point.ts';
import type { BindFailure, BindNote } from './bound-hook.ts';
import { argField } from './fields.ts';
import { signatureOf, type ArgContext, type Signature } from './hook-signature.ts';
import type { NameSearch } from './name-search.ts';
import { resolveValue } from './resolved-value.ts';
import { shapeOfField, shapeOfType, type ValueShape } from './value-shape.ts';

export type SignatureCheck = { readonly failure: BindFailure | null; readonly notes: readonly BindNote[] };

export function checkSignature(hook: PlanHook, point: AttachPoint, kernel: KernelFacts, search: NameSearch): SignatureCheck {
  const signature = signatureOf(hook, point, kernel);
  const notes: BindNote[] = [];
  for (const [position, arg] of hook.args.entries()) {
    if (arg.type === 'nop') continue;
    const checked = checkArg({ hook, arg, position, kernel, signature, search });
    if (checked !== null && 'failure' in checked) return { failure: checked.failure, notes };
    if (checked !== null) notes.push(checked.note);
  }
  return { failure: null, notes };
}

type Checked = { readonly failure: BindFailure } | { readonly note: BindNote } | null;

function checkArg(context: ArgContext): Checked {
  const { hook, arg, position, signature } = context;
  const field = argField(hook, position);
  const start = startOf(context);
  if (start !== undefined && 'reason' in start) return { failure: start };
  const value = resolveValue(context, start);
  if (value === undefined) return checkSize(context);
  if ('reason' in value) return { failure: value };
  const fit = fitOf(arg.type, value);
  if (!fit.fits) {
    const what = arg.from === 'return' ? `${hook.target} returns ${value.text}` : `${whatIs(context)} is ${value.text}`;
    const reason = signature?.of === 'tracepoint' && arg.resolve === undefined ? 'TracepointFieldMissing' : 'BtfTypeMismatch';
    return { failure: { reason, field: `${field}.type`, message: `${what} in this kernel and cannot be read as ${arg.type}` } };
  }
  const compared = checkFilters(context, value);
  if (compared !== null) return compared;
  const size = checkSize(context);
  if (size !== null || fit.note === undefined || signature?.of === 'syscall') return size;
  // All arguments of system calls are 8 bytes long there, and fields of tracepoints are read in their own width.
  if (signature?.of === 'tracepoint') return null;
  return { note: { reason: 'BtfTypeMismatch', field: `${field}.type`, message: `${whatIs(context)} is ${value.text}: ${fit.note}` } };
}

/** The shape at which the value begins, before `resolve`; undefined: not known. */
function startOf({ hook, arg, position, signature }: ArgContext): ValueShape | BindFailure | undefined {
  if (signature === undefined || (arg.from !== undefined && arg.from !== 'return')) return undefined;
  const field = `${argField(hook, position)}.index`;
  if (signature.of === 'function') {
    const { prototype, btf, name } = signature;
    if (arg.from === 'return') return shapeOfType(btf.types, prototype.returns);
    const parameter = prototype.parameters[arg.index];
    if (parameter !== undefined) return shapeOfType(btf.types, parameter.type);
    return {
      reason: 'ArgIndexOutOfRange',
      field,
      message: tooFew(`${name}(${parametersText(signature)})`, prototype.parameters.length, arg.index),
    };
  }
  if (arg.from === 'return') return undefined;
  const found = signature.fields[arg.index];
  if (found !== undefined) return shapeOfField(found);
  if (signature.of === 'syscall') {
    const text = `${signature.name}(${signature.fields.map((entry) => entry.declaration).join(', ')})`;
    return { reason: 'ArgIndexOutOfRange', field, message: tooFew(text, signature.fields.length, arg.index) };
  }
  const last = signature.fields.length - 1;
  const message = `${signature.name} has the fields 0 to ${last} in this kernel; there is no field ${arg.index}`;
  return { reason: 'TracepointFieldMissing', field, message };
}

function checkSize({ hook, arg, position, signature }: ArgContext): Checked {
  if (arg.sizeIndex === undefined || signature === undefined) return null;
  const count = signature.of === 'function' ? signature.prototype.parameters.length : signature.fields.length;
  if (arg.sizeIndex < count) return null;
  const message = tooFew(signature.name, count, arg.sizeIndex);
  return { failure: { reason: 'ArgIndexOutOfRange', field: `${argField(hook, position)}.sizeArgIndex`, message } };
}

/** For `auto`: what filters compare is known here for the first time. */
function checkFilters({ hook, arg, position }: ArgContext, value: ValueShape): Checked {
  if (arg.type !== 'auto') return null;
  const compared = comparedAs(value);
  for (const selector of hook.selectors) {
    for (const filter of [...selector.filters, ...(selector.returnFilters ?? [])]) {
      if (!('arg' in filter) || filter.arg !== position) continue;
      const wanted = filter.on === 'bytes' || filter.on === 'substring' ? 'text' : 'number';
      if (wanted === compared) continue;
      const message = `argument ${arg.index} is ${value.text} in this kernel, and a filter compares it as a ${wanted}`;
      return { failure: { reason: 'BtfTypeMismatch', field: `${selector.path}.matchArgs`, message } };
    }
  }
  return null;
}

function whatIs({ hook, arg, signature }: ArgContext): string {
  if (arg.resolve !== undefined) return arg.resolve.join('.');
  if (arg.from === 'return') return `what ${hook.target} returns`;
  if (signature?.of === 'tracepoint') return `field ${arg.index} of ${hook.target}`;
  return `argument ${arg.index} of ${hook.target}`;
}

function parametersText({ prototype, btf }: Extract<Signature, { of: 'function' }>): string {
  return prototype.parameters.map(({ name, type }) => `${typeText(btf.types, type)} ${name}`.replace('* ', '*')).join(', ');
}

function tooFew(what: string, count: number, index: number): string {
  const has = count === 0 ? 'no arguments' : `${count} argument${count === 1 ? '' : 's'}`;
  return `${what} has ${has} in this kernel; there is no argument ${index}`;
}
