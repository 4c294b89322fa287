import { z } from 'zod';
import { int32, object, off, uint32, uint53, withRules } from './primitives.ts';

export const ACTIONS = [
  'Post',
  'Sigkill',
  'Override',
  'GetUrl',
  'DnsLookup',
  'NoPost',
  'Signal',
  'TrackSock',
  'UntrackSock',
  'NotifyEnforcer',
  'CleanupEnforcerNotification',
  'Set',
] as const;

type ActionTargets = {
  readonly argNewSymbol?: string | undefined;
  readonly argNewAddr?: number | undefined;
  readonly argNewOffset?: number | undefined;
};

const ONE_TARGET = {
  rule: '(has(self.argNewSymbol) ? 1 : 0) + (has(self.argNewAddr) ? 1 : 0) + (has(self.argNewOffset) ? 1 : 0) <= 1',
  message: 'at most one of argNewSymbol, argNewAddr and argNewOffset',
  holds: (value: ActionTargets) =>
    [value.argNewSymbol, value.argNewAddr, value.argNewOffset].filter((each) => each !== undefined).length <= 1,
};

const plainAction = object(
  {
    action: z
      .enum(ACTIONS)
      .describe(
        'Post: send an event (also without any action). NoPost: send none. Override: let the call fail with argError. Sigkill, Signal: signal the ' +
          'process; the call may still take place, so deny with Override where that matters. GetUrl, DnsLookup: tell somebody. TrackSock, ' +
          'UntrackSock: let events of a socket name its process. NotifyEnforcer: let the policy deny or kill in a call of enforcers; ' +
          'CleanupEnforcerNotification takes that back. Set: write an argument of a usdt.',
      ),
    argError: int32.optional().describe('Override: what the call returns instead of running, -4095 to -1; -1 is EPERM, -13 EACCES.'),
    argSig: uint32.optional().describe('Signal, NotifyEnforcer: number of the signal, 1 to 64; 19 is SIGSTOP.'),
    argUrl: z.string().optional().describe('GetUrl: what the agent requests once per match, for example http://127.0.0.1:8080/hit.'),
    argFqdn: z.string().optional().describe('DnsLookup: the name that the agent resolves once per match.'),
    argSock: uint32.optional().describe('TrackSock, UntrackSock: the socket, by the index of its argument.'),
    argIndex: uint32.optional().describe('Set: the argument to write, by its index.'),
    argValue: uint32.optional().describe('Set: what is written, 4 bytes.'),
    argRegs: z
      .array(z.string())
      .optional()
      .describe('Override in uprobes: up to 8 registers to set, as rax=11, rip=(%rsp) or rsp=8%rsp. None: return argError at once.'),
    argNewSymbol: z.string().optional().describe('Override in uprobes: function of the same file to run instead.'),
    argNewAddr: uint53.optional().describe('Override in uprobes: address in the same file to run instead.'),
    argNewOffset: uint53.optional().describe('Override in uprobes: file offset to run instead.'),
    rateLimit: z
      .string()
      .optional()
      .describe('Post: send an equal event once in this time only: 5 or 5s (seconds), 1m, 1h. Enforcement is never limited.'),
    rateLimitScope: z.string().optional().describe('With rateLimit, whose repetition counts: thread (default), process, or global.'),
    kernelStackTrace: off('Post: add the stack of the kernel. For kprobes and fentries.'),
    userStackTrace: off('Post: add the stack of the process. For kprobes and fentries.'),
    imaHash: off('Post: add the hash that IMA has of the file. For lsmhooks on files.'),
  },
  'Something to do when the filters of a selector hold. With policy-mode monitor nothing is denied, signalled or written, only counted.',
  'Action',
);

export const action = withRules(plainAction, ONE_TARGET);

export type ActionSpec = z.infer<typeof action>;
