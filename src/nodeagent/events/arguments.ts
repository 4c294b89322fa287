import { integerOf, pathOf } from '../../abi/hook-record.ts';
import { PAL_A_FULL, PAL_A_NULL, PAL_A_UNREACHABLE } from '../../abi/layout.ts';
import type { RecordArgument } from '../../abi/record-types.ts';
import type { PlanArg, PlanArgType } from '../../policy/plan.ts';
import type { EventArgument } from './event.ts';
import { permissionText } from './file-mode.ts';

/** One argument in upstream's shape. `value` undefined: the record had no room for it, or the engine did not capture it. */
export function eventArgument(arg: PlanArg, value: RecordArgument | undefined): EventArgument {
  const shown = argumentValue(arg.type, value);
  return arg.label === '' ? shown : { ...shown, label: arg.label };
}

function argumentValue(type: PlanArgType, value: RecordArgument | undefined): EventArgument {
  if (value === undefined) return failed('argument was not captured');
  switch (type) {
    case 'string':
      return stringArgument(value);
    case 'file':
    case 'path':
      return pathArgument(type, value);
    default:
      return integerArgument(type, value);
  }
}

function integerArgument(type: PlanArgType, value: RecordArgument): EventArgument {
  const number = integerOf(value);
  if (number === null) return unreadable(value);
  switch (type) {
    case 'uint64':
      return { size_arg: BigInt.asUintN(64, number).toString() };
    case 'int64':
      return { long_arg: number.toString() };
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return { uint_arg: Number(BigInt.asUintN(32, number)) };
    default:
      return { int_arg: Number(BigInt.asIntN(32, number)) };
  }
}

function stringArgument(value: RecordArgument): EventArgument {
  const isText = value.status !== PAL_A_NULL && value.status !== PAL_A_FULL && (value.status === 0 || value.data.length > 0);
  return isText ? { string_arg: value.data.toString('utf8') } : unreadable(value);
}

function pathArgument(type: 'file' | 'path', value: RecordArgument): EventArgument {
  const read = pathOf(value);
  if (read === null && value.status !== PAL_A_UNREACHABLE) return unreadable(value);
  const permission = permissionText(read?.mode ?? 0);
  const words = [...(read === null || read.truncated ? ['unresolvedPathComponents'] : []), ...(read?.deleted === true ? ['deleted'] : [])];
  const shown = {
    path: read === null ? '' : read.path.toString('utf8'),
    ...(words.length === 0 ? {} : { flags: words.join(' ') }),
    ...(permission === '' ? {} : { permission }),
  };
  return type === 'file' ? { file_arg: shown } : { path_arg: shown };
}

function unreadable(value: RecordArgument): EventArgument {
  if (value.status === PAL_A_NULL) return failed('null pointer');
  return failed(value.status === PAL_A_FULL ? 'record is full' : 'Bad address');
}

function failed(message: string): EventArgument {
  return { error_arg: { Message: message } };
}
