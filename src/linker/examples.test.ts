import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { bind } from '../policy/bind.ts';
import { compiled } from '../policy/testing/policies.ts';
import { RECORDED, readRecorded } from '../policy/testing/recorded-kernels.ts';
import type { LinkPolicy } from './link-input.ts';
import { link } from './link.ts';
import { testInput } from './testing/kernels.ts';

const FOLDER = path.join(import.meta.dirname, '../../examples');

function readPolicy(file: string): LinkPolicy {
  const { plan, mode, digest } = compiled(parseYaml(readFileSync(path.join(FOLDER, file), 'utf8')));
  const { namespace } = plan.scope;
  const kind = namespace === null ? 'TracingPolicy' : 'TracingPolicyNamespaced';
  return { ref: { kind, uid: file, namespace, name: file, generation: 1 }, digest, plan, mode };
}

const policies = globSync('**/*.yaml', { cwd: FOLDER })
  .filter((file) => !file.endsWith('.test.yaml'))
  .map(readPolicy);

it.each(RECORDED)('all examples are in force together on %s', (name) => {
  const kernel = readRecorded(name);
  const node = link(testInput(policies, { kernel }));
  expect(node.problems).toEqual([]);
  const working = policies.filter(({ plan, mode }) => bind(plan, kernel, mode).some(({ effective }) => effective !== 'none'));
  expect(node.policies.map(({ ref }) => ref.name)).toEqual(expect.arrayContaining(working.map(({ ref }) => ref.name)));
});
