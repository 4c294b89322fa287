import { actor, bootKernel, type KernelUnderTest } from '../e2e/kernels/kernel-under-test.ts';
import type { KernelName } from '../e2e/vm/kernels.ts';
import { pathPolicies } from './policies.ts';
import { printTable } from './table.ts';

const counts = [1, 8, 64] as const;
const opensPerRound = 500;
const rounds = 20;
const missed = '/t/free/deep/er/file.conf';

/**
 * Instructions that the engine adds to an open and close of a file that no policy names. The emulator's clock counts executed
 * instructions, one nanosecond each: the figures are exact to about ten, and say nothing of caches and traps.
 */
export async function benchInstructions(kernels: readonly KernelName[]): Promise<void> {
  for (const name of kernels) {
    await using kernel = await bootKernel(name, { emulation: 'icount', build: 'release' });
    const idle = await instructionsPerOpen(kernel);
    const added = async (policies: ReturnType<typeof pathPolicies>): Promise<{ added: number; method: string }> => {
      const running = await kernel.apply(policies);
      const [first] = running.values();
      return { added: (await instructionsPerOpen(kernel)) - idle, method: first?.hooks[0]?.method ?? '' };
    };
    const rows: (string | number)[][] = [['policies on file_open', 'attached by', 'instructions added', 'of those for 1 policy']];
    let one = 0;
    for (const count of counts) {
      const { added: instructions, method } = await added(pathPolicies(count, 'all processes'));
      if (count === 1) one = instructions;
      rows.push([`${count}, a path that none names`, method, Math.round(instructions), `×${(instructions / one).toFixed(2)}`]);
    }
    const scoped = await added(pathPolicies(64, 'pods only'));
    rows.push(['64 about pods, a process of the host', scoped.method, Math.round(scoped.added), `×${(scoped.added / one).toFixed(2)}`]);
    printTable(`${name} (${kernel.hello().release}): an open and close without policies takes ${Math.round(idle)} instructions`, rows);
  }
}

/** The least of several rounds: whatever else the machine does can only add. Outside the loader's own control group, which is exempt. */
async function instructionsPerOpen(kernel: KernelUnderTest): Promise<number> {
  const cgroup = '/sys/fs/cgroup/bench';
  const script = 'mkdir -p "$1" && echo $$ > "$1/cgroup.procs" && shift && exec "$@"';
  const argv = [actor, 'spin', String(rounds), String(opensPerRound), missed];
  const { status, stdout, stderr } = await kernel.vm.machine.run(['sh', '-c', script, 'sh', cgroup, ...argv]);
  if (status !== 0) throw new Error(`actor: status ${status}: ${stderr}`);
  return Number(stdout.split(' ')[1]);
}
