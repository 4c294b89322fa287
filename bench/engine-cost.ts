import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from '../e2e/host/command.ts';
import { bootKernel } from '../e2e/kernels/kernel-under-test.ts';
import type { LinkPolicy } from '../src/linker/link-input.ts';
import { compile } from '../src/policy/compile.ts';
import { parse } from '../src/policy/parse.ts';
import { figure } from './figures.ts';

const kernelName = '6.12';
const policyCounts = [1, 8, 64] as const;
const openedPath = '/t/free/deep/er/file.conf';

function compiled(name: string, spec: object): LinkPolicy {
  const parsed = parse({ apiVersion: 'cilium.io/v1alpha1', kind: 'TracingPolicy', metadata: { name }, spec });
  const result = parsed.ok ? compile(parsed.value) : parsed;
  if (!parsed.ok || !result.ok) throw new Error(`bench: the policy ${name} does not compile`);
  const { plan, digest, mode } = result.value;
  return { ref: { kind: 'TracingPolicy', namespace: '', name, uid: name, generation: 1 }, digest, plan, mode };
}

/** A policy that looks at every open and matches none of the measured ones. */
function watcher(index: number): LinkPolicy {
  return compiled(`watch-${index}`, {
    lsmhooks: [
      {
        hook: 'file_open',
        args: [{ index: 0, type: 'file' }],
        selectors: [
          {
            matchArgs: [{ index: 0, operator: 'Prefix', values: [`/secret/${index}/`, `/etc/secret-${index}`] }],
            matchActions: [{ action: 'Override', argError: -1 }],
          },
        ],
      },
    ],
  });
}

/**
 * Instructions that an open and close take with 0, 1, 8 and 64 policies on the hook, none of which matches. The machine's clock
 * counts instructions, so the figures are work, not time, and the same on every host.
 */
export async function measureEngineCost(): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'palisade-bench-'));
  const program = path.join(scratch, 'open-cost');
  const source = path.join(import.meta.dirname, '../e2e/vm/guest/open-cost.c');
  await runCommand(['cc', '-O2', '-static', '-s', '-o', program, source]);
  const kernel = await bootKernel(kernelName, { emulation: 'icount' });
  try {
    const { machine } = kernel.vm;
    await machine.copyIn(program, '/usr/bin/open-cost');
    await machine.run(['mkdir', '-p', '/sys/fs/cgroup/bench']);
    // Not in the loader's own control group, whose processes the engine lets pass at once.
    const script = 'echo $$ > /sys/fs/cgroup/bench/cgroup.procs; exec /usr/bin/open-cost "$1"';
    const measure = async (): Promise<number> => {
      const { status, stdout, stderr } = await machine.run(['sh', '-c', script, 'sh', openedPath]);
      if (status !== 0) throw new Error(`bench: open-cost: ${stderr}`);
      return Number(stdout);
    };
    const base = await measure();
    figure(`kernel ${kernelName}: open and close without a policy`, base, 'instructions');
    for (const count of policyCounts) {
      await kernel.apply(Array.from({ length: count }, (_, index) => watcher(index)));
      figure(
        `kernel ${kernelName}: added by ${count} ${count === 1 ? 'policy' : 'policies'} on the hook`,
        (await measure()) - base,
        'instructions',
      );
    }
  } finally {
    await kernel[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  }
}
