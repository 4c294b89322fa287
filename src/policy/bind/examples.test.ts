import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import { compiled, policyFiles, type PolicyFile } from '../testing/policies.ts';
import { RECORDED, type RecordedKernel, readRecorded } from '../testing/recorded-kernels.ts';

function answers(file: PolicyFile | undefined, name: RecordedKernel): string {
  const { plan, mode } = compiled(file?.object);
  const hooks = bind(plan, readRecorded(name), mode);
  return hooks.map((hook) => `${hook.effective} by ${hook.methods[0]?.method ?? hook.failure?.message ?? 'nothing'}`).join(', ');
}

describe("The seed's policies on 5.10, 6.1, 6.12 and 7.x", () => {
  const files = policyFiles('examples/seed');

  it.each([
    ['block-etc-writes.yaml', 'kill by kprobe', 'kill by lsm', 'kill by lsm', 'kill by lsm'],
    ['block-reverse-shell-tools.yaml', 'kill by raw_tp_sys_enter', 'kill by kprobe', 'kill by kprobe_multi', 'kill by kprobe_multi'],
    ['observe-all-exec.yaml', 'observe by raw_tp_sys_enter', 'observe by kprobe', 'observe by kprobe_multi', 'observe by kprobe_multi'],
  ])('%s', (name, ...expected) => {
    const file = files.find((one) => one.name === name);
    expect(RECORDED.map((kernel) => answers(file, kernel))).toEqual(expected);
  });
});

describe('The examples', () => {
  it.each(policyFiles('examples').map((file) => [file.name, file] as const))(
    '%s works on every recorded kernel, as far as the engine of this version runs it',
    (_, file) => {
      const { plan, mode } = compiled(file.object);
      for (const name of RECORDED) {
        const wrong = bind(plan, readRecorded(name), mode).flatMap(({ failure }) => failure ?? []);
        expect(wrong.filter(({ reason }) => reason !== 'NotInEngine').map(({ message }) => `${name}: ${message}`)).toEqual([]);
      }
    },
  );
});
