import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl } from './cluster-under-test.ts';
import { hookOf, untilEvent, eventsOf } from './events.ts';
import { cluster } from './cluster-under-test.ts';
import { figure } from './figures.ts';
import { deletePod, runToEnd } from './pods.ts';
import { applyExample, deletePolicy, untilReady } from './policies.ts';

describe("Proof 3: the seed's block-reverse-shell-tools kills nc and python3 in default, not in monitoring", () => {
  beforeAll(async () => {
    await kubectl.run(['create', 'namespace', 'monitoring']);
    await applyExample('seed/block-reverse-shell-tools.yaml');
    figure('apply → Ready', (await untilReady({ name: 'block-reverse-shell-tools' })).tookMs, 'ms');
  });
  afterAll(async () => {
    await deletePolicy({ name: 'block-reverse-shell-tools' });
    await kubectl.run(['delete', 'namespace', 'monitoring', '--wait=false']);
  });

  it.each(['/bin/nc', '/usr/bin/python3'])('%s is killed in default', async (tool) => {
    const { logs } = await runToEnd({ name: 'shell-default' }, ['sh', '-c', `${tool} -h; echo "status $?"`]);
    expect(logs).toContain('status 137');
  });

  it.each(['/bin/nc', '/usr/bin/python3'])('%s runs in monitoring', async (tool) => {
    const { logs } = await runToEnd({ name: 'shell-monitoring', namespace: 'monitoring' }, ['sh', '-c', `${tool} -h; echo "status $?"`]);
    expect(logs).not.toContain('status 137');
  });

  it.each(['node-6-1', 'node-6-12'])(
    'on %s a program that forks and execs an untouched string literal is killed too, twenty times',
    async (node) => {
      const { logs } = await runToEnd({ name: 'literal', node }, ['sh', '-c', 'for i in $(seq 20); do /bin/literal-exec; done']);
      expect(logs.trim().split('\n')).toEqual(Array.from({ length: 20 }, () => 'signal 9'));
    },
  );
});

describe('Proof 3: observe-all-exec shows every exec of a pod with its first argument', () => {
  beforeAll(async () => {
    await applyExample('seed/observe-all-exec.yaml');
    figure('apply → Ready', (await untilReady({ name: 'observe-all-exec' })).tookMs, 'ms');
  });
  afterAll(async () => {
    await deletePod('observed');
    await deletePolicy({ name: 'observe-all-exec' });
  });

  it('none of thirty execs is missing', async () => {
    await runToEnd({ name: 'observed' }, ['sh', '-c', 'for i in $(seq 30); do /bin/true; done; /bin/date; exit 0']);
    const isOurs = (line: Parameters<typeof hookOf>[0], path: string): boolean => {
      const hook = hookOf(line);
      return (
        hook?.policy_name === 'observe-all-exec' &&
        hook.process.pod?.name === 'observed' &&
        JSON.stringify(hook.args?.[0]) === JSON.stringify({ string_arg: path })
      );
    };
    await untilEvent('the last exec', (line) => isOurs(line, '/bin/date'));
    const all = (await Promise.all(cluster.nodes.map((node) => eventsOf(node)))).flat();
    expect(all.filter((line) => isOurs(line, '/bin/true'))).toHaveLength(30);
  });
});
