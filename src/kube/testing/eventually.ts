/** Resolves as soon as the condition holds; rejects after five seconds with what was waited for. For real sockets, which no fake clock moves. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) {
      throw new Error(`waited five seconds in vain for: ${what}`);
    }
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
}
