/** What is wrong and what would be right, as a person would write it. docs/errors.md shows them; a test tries each of them. */
export type ProblemExample = {
  /** What the texts are: the `spec` of a policy, of a namespaced one, a whole file, or a file of tests for the policy `POLICY_UNDER_TEST`. */
  readonly of: 'spec' | 'namespaced spec' | 'file' | 'test file';
  readonly severity: 'error' | 'warning';
  readonly wrong: string | Uint8Array;
  /** Has none of the code's problems, and no error at all. */
  readonly right: string;
};

/** By code. */
export type Examples<Code extends string = string> = Readonly<Record<Code, ProblemExample>>;

export function pair(wrong: string, right: string, severity: ProblemExample['severity'] = 'error'): ProblemExample {
  return { of: 'spec', severity, wrong, right };
}

export function warned(wrong: string, right: string): ProblemExample {
  return pair(wrong, right, 'warning');
}

/** A hook of a section with these lines, the first of which begins the entry of the list. */
export function hook(section: string, ...lines: readonly string[]): string {
  return [`${section}:`, ...lines.map((line, at) => `${at === 0 ? '  - ' : '    '}${line}`), ''].join('\n');
}

/** One selector with these lines, for the end of a hook. */
export function selector(...lines: readonly string[]): string[] {
  return ['selectors:', ...lines.map((line, at) => `${at === 0 ? '  - ' : '    '}${line}`)];
}

/** An lsmhook on files that are opened. */
export function onFile(...lines: readonly string[]): string {
  return hook('lsmhooks', 'hook: file_open', 'args: [{ index: 0, type: file }]', ...selector(...lines));
}

/** A probe on a system call that takes a number. */
export function onNumber(...lines: readonly string[]): string {
  return hook('kprobes', 'call: sys_setuid', 'args: [{ index: 0, type: int }]', ...selector(...lines));
}

/** A probe where connections are made. */
export function onSocket(...lines: readonly string[]): string {
  return hook('kprobes', 'call: tcp_connect', 'syscall: false', 'args: [{ index: 0, type: sock }]', ...selector(...lines));
}

/** A probe in a program. */
export function onProgram(...lines: readonly string[]): string {
  return hook('uprobes', 'path: /usr/bin/bash', ...lines);
}

/** Entries of a list, one under the other or in one line. */
export function times(count: number, entry: (index: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, index) => entry(index));
}
