import { type Examples, hook, onFile, onNumber, onSocket, pair, selector, times, warned } from './example.ts';

const filter = (operator: string, values: string): string => `matchArgs: [{ index: 0, operator: ${operator}, values: [${values}] }]`;
const pathOf = (bytes: number): string => `/${'a'.repeat(bytes - 1)}`;
const twoCaps = 'args: [{ index: 1, type: cap_effective }, { index: 2, type: cap_permitted }]';
const gained = (args: string): string =>
  hook(
    'kprobes',
    'call: security_capset',
    'syscall: false',
    twoCaps,
    ...selector(`matchArgs: [{ args: [${args}], operator: CapabilitiesGained }]`),
  );
const read = (block: string): string =>
  hook(
    'kprobes',
    'call: sys_read',
    'args: [{ index: 1, type: char_buf, sizeArgIndex: 3, returnCopy: true }]',
    'return: true',
    'returnArg: { index: 0, type: long }',
    ...selector(`${block}: [{ index: 1, operator: Prefix, values: ["#!"] }]`),
  );
const field = (index: number): string =>
  hook(
    'tracepoints',
    'subsystem: syscalls',
    'event: sys_enter_setuid',
    'args: [{ index: 5, type: uint32 }]',
    ...selector(`matchArgs: [{ index: ${index}, operator: Equal, values: ["0"] }]`),
  );
const cel = (text: string): string => onNumber(`matchArgs: [{ operator: CelExpr, values: ["${text}"] }]`);

/** What is wrong with the conditions of selectors. */
export const FILTER_EXAMPLES = {
  UndeclaredArgument: pair(
    onFile('matchArgs: [{ index: 1, operator: Equal, values: [/etc/shadow] }]'),
    onFile(filter('Equal', '/etc/shadow')),
  ),
  AmbiguousArgument: warned(field(0), field(5)),
  ReadAtReturn: pair(read('matchArgs'), read('matchReturnArgs')),
  OperatorTypeMismatch: pair(onFile(filter('GT', '"5"')), onFile(filter('Prefix', '/etc/'))),
  WrongArgumentCount: pair(gained('0'), gained('0, 1')),
  NoValues: pair(onFile(filter('Equal', '')), onFile(filter('Equal', '/etc/shadow'))),
  NotANumber: pair(onNumber(filter('Equal', 'root')), onNumber(filter('Equal', '"0"'))),
  NumberOutOfRange: pair(onNumber(filter('Equal', '"4294967295"')), onNumber(filter('Equal', '"-1"'))),
  BadValue: pair(onNumber(filter('InRange', '"9:1"')), onNumber(filter('InRange', '"1:9"'))),
  ValueTooLong: pair(onFile(filter('Postfix', pathOf(249))), onFile(filter('Postfix', pathOf(40)))),
  UnknownCapability: pair(
    onFile('matchCapabilities: [{ operator: In, values: [SYS_ADMIN] }]'),
    onFile('matchCapabilities: [{ operator: In, values: [CAP_SYS_ADMIN] }]'),
  ),
  BadNamespaceValue: pair(
    onFile('matchNamespaces: [{ namespace: Net, operator: NotIn, values: [kube-system] }]'),
    onFile('matchNamespaces: [{ namespace: Pod, operator: NotIn, values: [kube-system] }]'),
  ),
  BadAddress: pair(onSocket(filter('DAddr', '10.0.0.0/33')), onSocket(filter('DAddr', '10.0.0.0/8'))),
  HostBitsIgnored: warned(onSocket(filter('DAddr', '10.1.2.3/8')), onSocket(filter('DAddr', '10.0.0.0/8'))),
  RangeReversed: warned(onSocket(filter('DPort', '"9000:8000"')), onSocket(filter('DPort', '"8000:9000"'))),
  AlwaysMatches: warned(onSocket(filter('DPort', '"0:65535"')), onSocket(filter('DPort', '"1024:65535"'))),
  FollowChildrenNotPossible: pair(
    onFile('matchBinaries: [{ operator: Prefix, values: [/usr/bin/], followChildren: true }]'),
    onFile('matchBinaries: [{ operator: In, values: [/usr/bin/sudo], followChildren: true }]'),
  ),
  BadExpression: pair(cel('arg0 + 1'), cel('arg0 > int32(0)')),
  CelTooLarge: pair(cel(times(20, () => 'arg0 == int32(1)').join(' || ')), cel('arg0 == int32(1)')),
  TooManyFilters: pair(
    onNumber('matchArgs:', ...times(17, (at) => `  - { index: 0, operator: NotEqual, values: ["${at}"] }`)),
    onNumber('matchArgs:', '  - { index: 0, operator: NotInRange, values: ["0:16"] }'),
  ),
  SetTooLarge: pair(onNumber(filter('InMap', times(65_537, (at) => `"${at}"`).join(', '))), onNumber(filter('InMap', '"0:65536"'))),
} satisfies Examples;
