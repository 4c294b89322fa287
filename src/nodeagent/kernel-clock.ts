import { readFileSync } from 'node:fs';
import { kernelTimeFrom, type KernelTime } from './events/kernel-time.ts';

/** Samples both clocks of this machine. */
export function readKernelTime(): KernelTime {
  return kernelTimeFrom({ wallMs: Date.now(), monotonicNs: process.hrtime.bigint(), bootSeconds: readUptime() });
}

/** The kernel's clock now, in nanoseconds since boot. */
export function readKtimeNs(): bigint {
  const { offsetNs } = readKernelTime();
  return BigInt(Math.round(Date.now() * 1e6)) - offsetNs;
}

function readUptime(): number | null {
  try {
    const seconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    return Number.isFinite(seconds) ? seconds : null;
  } catch {
    return null;
  }
}
