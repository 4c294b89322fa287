import type { Log } from './log.ts';

/** For main files: aborted by the first SIGTERM or SIGINT, the second one ends the process at once. So does a rejection that nobody handles. */
export function stopSignal(log: Log): AbortSignal {
  const stopper = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('Stopping', { signal });
      stopper.abort();
    });
  }
  process.on('unhandledRejection', (error) => {
    log.error('A promise was rejected and nobody cared', { error });
    process.exit(1);
  });
  return stopper.signal;
}
