import { z } from 'zod';
import { int32, object, uint32, uint53, withRules } from './primitives.ts';

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
    action: z.enum(ACTIONS).describe('What happens when the selector matches.'),
    argError: int32.optional().describe('Override, NotifyEnforcer: the value that the call returns, for example -1 (EPERM).'),
    argSig: uint32.optional().describe('Signal, NotifyEnforcer: number of the signal.'),
    argUrl: z.string().optional().describe('GetUrl: address to fetch.'),
    argFqdn: z.string().optional().describe('DnsLookup: name to look up.'),
    argSock: uint32.optional().describe('TrackSock, UntrackSock: position of the socket argument.'),
    argIndex: uint32.optional().describe('Set: position of the argument to write.'),
    argValue: uint32.optional().describe('Set: the value to write.'),
    argRegs: z.array(z.string()).optional().describe('Override of a user probe: register assignments.'),
    argNewSymbol: z.string().optional().describe('Override of a user probe: symbol to run instead.'),
    argNewAddr: uint53.optional().describe('Override of a user probe: address to run instead.'),
    argNewOffset: uint53.optional().describe('Override of a user probe: file offset to run instead.'),
    rateLimit: z.string().optional().describe('Post: do not repeat an equal event within this time: 5, 5s, 1m, 1h.'),
    rateLimitScope: z.string().optional().describe('Post: thread (default), process or global.'),
    kernelStackTrace: z.boolean().default(false).describe('Post: add the stack of the kernel.'),
    userStackTrace: z.boolean().default(false).describe('Post: add the stack of the process.'),
    imaHash: z.boolean().default(false).describe('Post: add the IMA hash of the file.'),
  },
  'An action.',
);

export const action = withRules(plainAction, ONE_TARGET);

export type ActionSpec = z.infer<typeof action>;
