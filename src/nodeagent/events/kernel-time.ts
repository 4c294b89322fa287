/**
 * From the kernel's clock (CLOCK_BOOTTIME, nanoseconds) to wall-clock text. The offset is sampled by the shell and given in, so that this stays a
 * function of data.
 */
export type KernelTime = {
  /** Wall clock minus kernel clock, nanoseconds. */
  readonly offsetNs: bigint;
};

const NS_PER_S = 1_000_000_000n;

/** RFC 3339, UTC, nanoseconds: `2026-01-01T00:00:00.000000001Z`. Times before 1970 are shown as 1970. */
export function wallTimeText(time: KernelTime, ktimeNs: bigint): string {
  const wallNs = ktimeNs + time.offsetNs;
  const clampedNs = wallNs < 0n ? 0n : wallNs;
  const seconds = new Date(Number(clampedNs / NS_PER_S) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${(clampedNs % NS_PER_S).toString().padStart(9, '0')}Z`;
}

/** The offset from one sample of both clocks. `bootSeconds` is the first number of /proc/uptime, which also counts time spent in suspend. */
export function kernelTimeFrom(sample: { wallMs: number; monotonicNs: bigint; bootSeconds: number | null }): KernelTime {
  const monotonic = sample.monotonicNs;
  const boot = sample.bootSeconds === null ? monotonic : BigInt(Math.round(sample.bootSeconds * 1e9));
  // /proc/uptime has a resolution of 10 ms: it is only believed where the two clocks really differ, after a suspend.
  const suspendedNs = boot - monotonic;
  const now = suspendedNs > NS_PER_S ? boot : monotonic;
  return { offsetNs: BigInt(Math.round(sample.wallMs * 1e6)) - now };
}
