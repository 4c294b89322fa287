import { type Examples, hook, onFile, onNumber, onProgram, onSocket, pair, selector, times } from './example.ts';

const act = (...actions: readonly string[]): string => `matchActions: [${actions.map((action) => `{ ${action} }`).join(', ')}]`;
const DENY = 'action: Override, argError: -1';
const onEvent = (...lines: readonly string[]): string =>
  hook('tracepoints', 'subsystem: syscalls', 'event: sys_enter_setuid', ...selector(...lines));
const registers = (count: number): string => times(count, (at) => `r${at + 8 > 15 ? 'ax' : at + 8}=${at}`).join(', ');

/** What is wrong with actions. */
export const ACTION_EXAMPLES = {
  OverrideWithoutError: pair(onFile(act('action: Override')), onFile(act(DENY))),
  OverrideErrorOutOfRange: pair(onFile(act('action: Override, argError: 1')), onFile(act(DENY))),
  OverrideOnTracepoint: pair(onEvent(act(DENY)), onNumber(act(DENY))),
  OverrideNotPossible: pair(
    onSocket(act(DENY)),
    hook('lsmhooks', 'hook: socket_connect', 'args: [{ index: 0, type: socket }]', ...selector(act(DENY))),
  ),
  RepeatedAction: pair(onFile(act(DENY, 'action: Override, argError: -13')), onFile(act(DENY))),
  TooManyActions: pair(onFile(act(...times(9, () => 'action: Post'))), onFile(act('action: Post'))),
  ActionNotPossible: pair(
    onFile(act('action: GetUrl, argUrl: "http://hook.test/"')),
    onNumber(act('action: GetUrl, argUrl: "http://hook.test/"')),
  ),
  BadActionArgument: pair(
    hook(
      'kprobes',
      'call: tcp_close',
      'syscall: false',
      'args: [{ index: 1, type: long }]',
      ...selector(act('action: UntrackSock, argSock: 1')),
    ),
    hook(
      'kprobes',
      'call: tcp_close',
      'syscall: false',
      'args: [{ index: 0, type: sock }]',
      ...selector(act('action: UntrackSock, argSock: 0')),
    ),
  ),
  BadSignal: pair(onFile(act('action: Signal, argSig: 65')), onFile(act('action: Signal, argSig: 15'))),
  BadRateLimit: pair(onFile(act('action: Post, rateLimit: soon')), onFile(act('action: Post, rateLimit: 1m'))),
  BadUrl: pair(onNumber(act('action: GetUrl, argUrl: "ftp://hook.test/"')), onNumber(act('action: GetUrl, argUrl: "http://hook.test/"'))),
  BadDomainName: pair(onNumber(act('action: DnsLookup, argFqdn: "a b"')), onNumber(act('action: DnsLookup, argFqdn: canary.test'))),
  BadRegister: pair(
    onProgram('symbols: [readline]', ...selector(act('action: Override, argRegs: ["rax<-0"]'))),
    onProgram('symbols: [readline]', ...selector(act('action: Override, argRegs: ["rax=0"]'))),
  ),
  TooManyRegisters: pair(
    onProgram('symbols: [readline]', ...selector(act(`action: Override, argRegs: [${registers(9)}]`))),
    onProgram('symbols: [readline]', ...selector(act(`action: Override, argRegs: [${registers(8)}]`))),
  ),
} satisfies Examples;
