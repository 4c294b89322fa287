/** Prints what is done and how long it took, one line a step: set-up is never silent. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  try {
    const result = await work();
    report('done', title, startedMs);
    return result;
  } catch (error) {
    report('FAILED', title, startedMs);
    throw error;
  }
}

function report(outcome: string, title: string, startedMs: number): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(7);
  process.stderr.write(`${seconds} s  ${title}${outcome === 'done' ? '' : `: ${outcome}`}\n`);
}
