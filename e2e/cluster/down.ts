import { setTimeout as sleep } from 'node:timers/promises';
import { readRunState } from './run-folder.ts';

/** Ends the cluster of this checkout: exactly the process that `make up` started, and so its children. */
const state = await readRunState();
if (state === undefined) {
  process.stdout.write('No cluster of this checkout runs.\n');
} else {
  process.kill(state.pid, 'SIGTERM');
  const deadlineMs = performance.now() + 60_000;
  while ((await readRunState()) !== undefined) {
    if (performance.now() > deadlineMs) {
      process.stderr.write(`The cluster's process ${state.pid} did not end within 60 s.\n`);
      process.exit(1);
    }
    await sleep(100);
  }
  process.stdout.write('The cluster is down.\n');
}
