/** Where `resolve`, `source` and `btfType` lead on a kernel, and what lies there. */
import type { Btf } from '../btf/type-index.ts';
import { resolvePath } from '../btf/resolve.ts';
import { intType, plainType } from '../btf/types.ts';
import type { BindFailure } from './bound-hook.ts';
import { argField } from './fields.ts';
import { startType, type ArgContext } from './hook-signature.ts';
import { isRegister } from './registers.ts';
import { shapeOfType, type ValueShape } from './value-shape.ts';

/** `start`: what the hook hands out, where that is known. Undefined: not known what the value is. */
export function resolveValue(context: ArgContext, start: ValueShape | undefined): ValueShape | BindFailure | undefined {
  const { arg, kernel } = context;
  const field = `${argField(context.hook, context.position)}.resolve`;
  if (arg.from === 'pt_regs') {
    const [register = ''] = arg.resolve ?? [];
    if (isRegister(register, kernel.arch)) return undefined;
    return { reason: 'ResolvePathNotFound', field, message: `"${register}" is no register of ${kernel.arch}` };
  }
  if (arg.resolve === undefined) return start;
  const from = beginning(context, start);
  if (from === undefined || 'reason' in from) return from;
  const resolved = resolvePath(from.btf.types, from.type, arg.resolve);
  if (!resolved.ok) return { reason: 'ResolvePathNotFound', field, message: `${arg.resolve.join('.')}: ${resolved.message}` };
  if (resolved.bitField === undefined) return shapeOfType(from.btf.types, resolved.type);
  const number = intType(from.btf.types, resolved.type);
  return { kind: 'number', bytes: number?.bytes ?? 8, signed: number?.signed ?? false, text: `a field of ${resolved.bitField.bits} bits` };
}

type Beginning = { readonly btf: Btf; readonly type: number };

/** The structure that the path goes into first. */
function beginning(context: ArgContext, start: ValueShape | undefined): Beginning | BindFailure | undefined {
  const { arg, kernel, hook, position } = context;
  const types = kernel.catalogue?.types;
  if (types === undefined) return undefined;
  if (arg.btfType !== undefined) return namedType(context, arg.btfType);
  if (arg.from === 'current_task') return namedType(context, 'task_struct');
  const known = startType(context);
  if (known !== undefined || start === undefined) return known;
  const message = `argument ${arg.index} of ${hook.target} is ${start.text}, which has no members; "btfType" says what it stands for`;
  return { reason: 'ResolvePathNotFound', field: `${argField(hook, position)}.resolve`, message };
}

function namedType({ arg, kernel, hook, position, search }: ArgContext, name: string): Beginning | BindFailure | undefined {
  const types = kernel.catalogue?.types;
  // The types of a program are in a file of that program.
  if (types === undefined || (hook.user !== undefined && arg.from !== 'current_task')) return undefined;
  const field = argField(hook, position);
  const module = arg.btfModule === undefined ? types.kernel : types.module(arg.btfModule);
  if (module === 'unknown') return undefined;
  if (module === 'missing') {
    return {
      reason: 'ModuleNotLoaded',
      field: `${field}.btfTypeModule`,
      message: `the kernel module "${arg.btfModule ?? ''}" is not loaded`,
    };
  }
  const type = module.findType(name);
  if (type !== undefined) return { btf: module, type: plainType(module.types, type) };
  const message = `this kernel has no type "${name}"${search.near(name, module.typeNames())}`;
  return { reason: 'ResolvePathNotFound', field: `${field}.btfType`, message };
}
