import { z } from 'zod';
import { addressBytes, compareNetworks, formatNetwork, parseNetwork, unmapped } from '../addresses.ts';
import { LIMITS } from '../limits.ts';
import type { PlanCelNode, PlanFilter } from '../plan.ts';
import {
  SYSCALL_NAME,
  bytes,
  content,
  decimal,
  integerSet,
  mask,
  membership,
  namespaceName,
  numbersAndNames,
  ranges,
  textSet,
  unsigned,
  yes,
} from './values.ts';

const arg = z
  .int()
  .min(0)
  .max(LIMITS.argsPerHook - 1);

const bytesOperator = z.enum(['Equal', 'NotEqual', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix']);
const linuxNamespace = z.enum(['uts', 'ipc', 'mnt', 'pid', 'pid_for_children', 'net', 'time', 'time_for_children', 'cgroup', 'user']);
const celType = z.enum(['bool', 'int32', 'uint32', 'int64', 'uint64']);

const celNode: z.ZodType<PlanCelNode> = z.lazy(() =>
  z.discriminatedUnion('op', [
    z.strictObject({ op: z.literal('arg'), type: celType, arg }),
    z.strictObject({ op: z.literal('literal'), type: celType, value: decimal }),
    z.strictObject({ op: z.enum(['convert', 'negate', 'invert', 'not']), type: celType, of: celNode }),
    z.strictObject({
      op: z.enum(['add', 'subtract', 'and', 'or', 'xor', 'all', 'any', 'equal', 'unequal', 'less', 'lessOrEqual']),
      type: celType,
      left: celNode,
      right: celNode,
    }),
  ]),
);

function celSize(node: PlanCelNode): number {
  if ('left' in node) {
    return 1 + celSize(node.left) + celSize(node.right);
  }
  return 'of' in node ? 1 + celSize(node.of) : 1;
}

const networks = z
  .array(z.string().max(64))
  .min(1)
  .max(LIMITS.valuesPerFilter)
  .refine((values) => {
    const clean = values.flatMap((value) => {
      const network = parseNetwork(value);
      return network === undefined ? [] : [unmapped({ ...network, bytes: addressBytes(network.bytes, network.prefixBits) })];
    });
    const isNormal = clean.length === values.length && clean.every((network, index) => formatNetwork(network) === values[index]);
    const isSorted = clean.toSorted(compareNetworks).every((network, index) => network === clean[index]);
    return isNormal && isSorted && new Set(values).size === values.length;
  }, 'not in normal form, or not sorted');

const namespaceValue = z.string().regex(/^(host_ns|0|[1-9][0-9]{0,9})$/);

const capabilities = {
  set: z.enum(['effective', 'permitted', 'inheritable']),
  operator: membership,
  mask,
  isNamespaceCapability: z.boolean(),
};

const postfixed = (operator: string): boolean => operator === 'Postfix' || operator === 'NotPostfix';
const areShort = ({ operator, values }: { readonly operator: string; readonly values: readonly string[] }): boolean =>
  !postfixed(operator) || values.every((value) => Buffer.byteLength(value) <= LIMITS.postfixBytes);

/** One filter as in a plan, in its one spelling. */
export const filter: z.ZodType<PlanFilter> = z.discriminatedUnion('on', [
  z.strictObject({
    on: z.literal('int'),
    arg,
    operator: z.enum(['Equal', 'NotEqual']),
    values: numbersAndNames(z.string().regex(/^(0|-?[1-9][0-9]{0,19}|((x64|i386|arm64|arm32)\/)?sys_[a-z0-9_]{1,60})$/), (value) =>
      SYSCALL_NAME.test(value),
    ),
  }),
  z.strictObject({ on: z.literal('range'), arg, operator: z.enum(['InRange', 'NotInRange']), ranges }),
  z.strictObject({ on: z.literal('mask'), arg, mask }),
  z
    .strictObject({ on: z.literal('bytes'), arg, operator: bytesOperator, values: textSet(content(LIMITS.equalBytes)) })
    .refine(areShort, `at most ${LIMITS.postfixBytes} bytes`),
  z.strictObject({
    on: z.literal('substring'),
    arg,
    ignoreCase: yes,
    values: textSet(content(LIMITS.substringBytes), LIMITS.substringsPerFilter),
  }),
  z.strictObject({
    on: z.literal('fileType'),
    arg,
    operator: membership,
    values: textSet(z.enum(['sock', 'lnk', 'reg', 'blk', 'dir', 'chr', 'fifo'])),
  }),
  z.strictObject({ on: z.literal('address'), arg, end: z.enum(['source', 'destination']), operator: membership, values: networks }),
  z.strictObject({
    on: z.literal('socket'),
    arg,
    field: z.enum(['sourcePort', 'destinationPort', 'protocol', 'family', 'state']),
    operator: membership,
    ranges,
  }),
  z.strictObject({ on: z.literal('gained'), before: arg, after: arg }),
  z
    .strictObject({ on: z.literal('cel'), expression: celNode })
    .refine(({ expression }) => celSize(expression) <= LIMITS.celNodes && expression.type === 'bool', 'too large, or no condition'),
  z
    .strictObject({
      on: z.literal('binary'),
      operator: z.enum(['In', 'NotIn', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix']),
      values: textSet(bytes(LIMITS.binaryBytes)),
      of: z.literal('parent').exactOptional(),
      followChildren: yes,
    })
    .refine(areShort, `at most ${LIMITS.postfixBytes} bytes`)
    .refine((value) => value.followChildren === undefined || value.operator === 'In' || value.operator === 'NotIn', 'followChildren'),
  z.strictObject({ on: z.literal('pid'), operator: membership, values: integerSet(unsigned), isNamespacePid: yes, followForks: yes }),
  z.strictObject({
    on: z.literal('namespace'),
    namespace: linuxNamespace,
    operator: membership,
    values: numbersAndNames(namespaceValue, (value) => value === 'host_ns'),
  }),
  z.strictObject({ on: z.literal('namespaceChange'), operator: membership, namespaces: textSet(linuxNamespace) }),
  z.strictObject({ on: z.literal('podNamespace'), operator: membership, values: textSet(namespaceName) }),
  z.strictObject({ on: z.literal('capability'), ...capabilities }),
  z.strictObject({ on: z.literal('capabilityChange'), ...capabilities }),
]);
