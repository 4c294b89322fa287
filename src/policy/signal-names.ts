/** Signals of Linux by name (signal.h; amd64 and arm64 agree). */
export const SIGNALS: ReadonlyMap<string, number> = new Map(
  (
    'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM ' +
    'PROF WINCH IO PWR SYS'
  )
    .split(' ')
    .map((name, index) => [`SIG${name}`, index + 1]),
);

const names: ReadonlyMap<number, string> = new Map([...SIGNALS].map(([name, number]) => [number, name]));

/** `SIGTERM` for 15; real-time signals are numbers. */
export function signalName(signal: number): string {
  return names.get(signal) ?? String(signal);
}
