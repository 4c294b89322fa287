import type { KernelUnderTest } from './kernel-under-test.ts';

/** What opener threads saw while something happened to the engine. */
export type HammerResult = {
  readonly deniedCalls: number;
  /** Opens of the denied file that worked: there must be none. */
  readonly leaked: number;
  readonly allowedCalls: number;
  /** Opens of the allowed file that failed: likewise. */
  readonly refused: number;
};

/** Runs something while threads of one processor open a denied and an allowed file as fast as they can. */
export async function underHammer(kernel: KernelUnderTest, work: () => Promise<unknown>): Promise<HammerResult> {
  const threads = 3;
  const running = Promise.withResolvers<void>();
  const hammer = kernel.vm.machine.start(['/t/bin/actor', 'hammer', String(threads), '/t/secret/one', '/t/free/deep/er/file.conf'], {
    onStdout: () => running.resolve(),
  });
  hammer.result.catch(() => undefined);
  await Promise.race([running.promise, hammer.result]);
  try {
    await work();
  } finally {
    hammer.closeInput();
  }
  const { status, stdout, stderr } = await hammer.result;
  const [deniedCalls, leaked, allowedCalls, refused] = (stdout.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  if (status !== 0 || deniedCalls === undefined || leaked === undefined || allowedCalls === undefined || refused === undefined)
    throw new Error(`hammer: status ${status}: ${stdout}${stderr}`);
  return { deniedCalls, leaked, allowedCalls, refused };
}
