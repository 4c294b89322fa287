import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tooOldNode } from './node-version.ts';

const MAIN = path.join(import.meta.dirname, 'main.ts');

describe('the command line as a process', { timeout: 60_000 }, () => {
  it('is ended by the first Ctrl-C while it waits for input', async () => {
    const child = spawn(process.execPath, [MAIN, 'lint', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    // It has read this far: what interrupts it now interrupts its waiting.
    child.stdin.write('# a policy will come\n');
    await new Promise((resolve) => child.stdin.write('#'.repeat(1 << 20), resolve));
    child.kill('SIGINT');
    const signal = await new Promise((resolve) => child.on('close', (_code, name) => resolve(name)));
    expect(signal).toBe('SIGINT');
  });

  it.runIf(existsSync('/dev/full'))('says that the disk is full, and that is not the answer "no"', () => {
    const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$1" facts > /dev/full', process.execPath, MAIN], { encoding: 'utf8' });
    expect(stderr).toMatch(/^palisade: standard output: ENOSPC/);
    expect(status).toBe(2);
  });

  it('does not mind a reader that has seen enough', () => {
    const { stdout, stderr } = spawnSync('sh', ['-c', '"$0" "$1" facts find a -o json | head -1', process.execPath, MAIN], {
      encoding: 'utf8',
    });
    expect([stdout, stderr]).toEqual(['[\n', '']);
  });
});

describe('the Node that it runs on', () => {
  it('is new enough, or its version and place are told, and where another is', () => {
    expect(tooOldNode('24.0.0', '/usr/bin/node')).toBe(undefined);
    expect(tooOldNode('100.1.0', '/usr/bin/node')).toBe(undefined);
    expect(tooOldNode('18.19.0', '/usr/bin/node')).toMatch(
      /^needs Node.js 24 or newer, and \/usr\/bin\/node is 18\.19\.0; "bin\/palisade"/,
    );
  });
});
