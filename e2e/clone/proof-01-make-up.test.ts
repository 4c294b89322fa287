import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../cluster/wait-until.ts';
import { cleanClone } from '../host/clean-clone.ts';
import { runCommand } from '../host/command.ts';

const root = path.join(import.meta.dirname, '../..');

describe('Proof 1: a clean clone reaches a ready cluster by make up alone', () => {
  let folder = '';
  let clone = '';

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'palisade-clone-'));
    clone = path.join(folder, 'palisade');
    await cleanClone(root, clone);
  });
  afterAll(async () => {
    await runCommand(['make', '--no-print-directory', 'down'], { cwd: clone });
    await rm(folder, { recursive: true, force: true });
  });

  it('and plain kubectl works with its kubeconfig, logs and exec included', async () => {
    const startedMs = performance.now();
    let said = '';
    const status = await new Promise<number | null>((resolve) => {
      const make = spawn('make', ['--no-print-directory', 'up'], { cwd: clone, stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [make.stdout, make.stderr])
        stream.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          process.stdout.write(chunk);
        });
      make.on('close', (code) => resolve(code));
    });
    process.stdout.write(
      `    · make up in a clean clone, with the cache of this machine: ${((performance.now() - startedMs) / 1000).toFixed(1)} s (aim: 45 s)\n`,
    );
    expect(status, said.split('\n').slice(-12).join('\n')).toBe(0);
    const env = {
      ...process.env,
      KUBECONFIG: path.join(clone, '.run/kubeconfig'),
      PATH: `${path.join(clone, '.run/bin')}:${process.env['PATH'] ?? ''}`,
    };
    const kubectl = async (...args: readonly string[]): Promise<string> => (await runCommand(['kubectl', ...args], { env })).stdout;
    expect((await kubectl('get', 'nodes', '-o', 'name')).trim().split('\n')).toEqual(['node/node-6-1', 'node/node-6-12']);
    await kubectl('run', 'hello', '--image=busybox', '--restart=Never', '--', 'sh', '-c', 'echo hello; sleep 3600');
    await kubectl('wait', '--for=condition=Ready', 'pod/hello', '--timeout=60s');
    // Ready means that the container was started, not that it has come to its first line.
    const isLogged = async (): Promise<true | undefined> => ((await kubectl('logs', 'hello')).trim() === 'hello' ? true : undefined);
    await waitUntil('the log of the pod to have its line', isLogged, { timeoutMs: 60_000 });
    expect((await kubectl('exec', 'hello', '--', 'echo', 'exec')).trim()).toBe('exec');
  });
});
