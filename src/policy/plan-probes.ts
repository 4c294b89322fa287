/** Where a hook of a plan sits, for the kinds that do not name one function of the kernel. */

/** `syscalls`: all system calls; `ftrace`: functions that probes may be put on and whose name the regular expression matches. */
export type PlanGenerated = { readonly from: 'syscalls' } | { readonly from: 'ftrace'; readonly pattern: string };

/** Where in a program a probe sits. Exactly one of symbols, offsets, addresses for uprobe; provider and name for usdt. */
export type PlanUserProbe = {
  /** Absolute, in the mount namespace of the host. */
  readonly file: string;
  /** `readline`, `main.main+0x10`. */
  readonly symbols?: readonly string[];
  /** Decimal file offsets and addresses, in spec order. */
  readonly offsets?: readonly string[];
  readonly addresses?: readonly string[];
  /** As many as there are symbols, offsets or addresses. */
  readonly semaphores?: readonly string[];
  readonly provider?: string;
  readonly name?: string;
  /** File with BTF for `resolve`. */
  readonly btfFile?: string;
  /** Allowed digests, `sha256:…`, lower-case hexadecimal; sorted. One must fit. */
  readonly digests?: readonly string[];
};
