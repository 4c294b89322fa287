import type { PlanArg, PlanFilter } from '../plan.ts';
import type { Answer } from './answer.ts';
import { evaluateCel } from './cel.ts';
import type { HookCall } from './event.ts';
import { gainedAnswer, integerAnswer, maskAnswer, rangeAnswer } from './integer-filter.ts';
import {
  binaryAnswer,
  capabilityAnswer,
  capabilityChangeAnswer,
  namespaceAnswer,
  namespaceChangeAnswer,
  pidAnswer,
} from './process-filter.ts';
import { addressAnswer, socketAnswer } from './socket-filter.ts';
import { bytesAnswer, fileTypeAnswer, substringAnswer } from './text-filter.ts';

/** One filter against one call. `podNamespace` is a matter of scope (`isInScope`) and always holds here. */
export function answer(filter: PlanFilter, args: readonly PlanArg[], call: HookCall): Answer {
  switch (filter.on) {
    case 'podNamespace':
      return 'yes';
    case 'binary':
      return binaryAnswer(filter, call.process);
    case 'pid':
      return pidAnswer(filter, call.process);
    case 'namespace':
      return namespaceAnswer(filter, call.process);
    case 'namespaceChange':
      return namespaceChangeAnswer(filter, call.process);
    case 'capability':
      return capabilityAnswer(filter, call.process);
    case 'capabilityChange':
      return capabilityChangeAnswer(filter, call.process);
    case 'gained':
      return gainedAnswer(call.args[filter.before], call.args[filter.after]);
    case 'cel':
      return evaluateCel(filter.expression, call.args);
    default:
      return call.args[filter.arg]?.kind === 'absent' ? 'no' : argumentAnswer(filter, args, call);
  }
}

type ArgumentFilter = Extract<PlanFilter, { readonly arg: number }>;

/** On a value that is there, or of which nothing is known. A value of another kind than the filter compares is unknown. */
function argumentAnswer(filter: ArgumentFilter, args: readonly PlanArg[], call: HookCall): Answer {
  const value = call.args[filter.arg];
  switch (filter.on) {
    case 'int':
      return integerAnswer(filter, value);
    case 'range':
      return rangeAnswer(filter, value);
    case 'mask':
      return maskAnswer(filter, value);
    case 'bytes':
      return bytesAnswer(filter, value, args[filter.arg]);
    case 'substring':
      return substringAnswer(filter, value, args[filter.arg]);
    case 'fileType':
      return fileTypeAnswer(filter, value);
    case 'address':
      return addressAnswer(filter, value);
    case 'socket':
      return socketAnswer(filter, value);
  }
}
