import { describe, expect, it } from 'vitest';
import type { ProcessFacts } from '../evaluate/event.ts';
import { createProblemSink, formatProblem } from '../problem.ts';
import { type CallerWords, HOST_NAMESPACES, readCaller } from './process-facts.ts';

function read(words: Partial<CallerWords>, namespace = 'default'): ProcessFacts {
  const sink = createProblemSink();
  const process = readCaller(sink, 'cases[0]', { process: {}, pod: undefined, host: false, ...words }, { namespace });
  if (sink.list().length > 0) throw new Error(sink.list().map(formatProblem).join('\n'));
  return process;
}

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();

describe('the process of a case', () => {
  it('is one of a pod, without capabilities, unless the case says otherwise', () => {
    const process = read({});
    expect(text(process.binary)).toBe('/usr/bin/app');
    expect(process.workload).toMatchObject({ kind: 'pod', namespace: 'default', labels: {}, container: { name: 'main' } });
    expect(process.capabilities).toEqual({ effective: 0n, permitted: 0n, inheritable: 0n });
    expect(process.namespaces.net).not.toBe(HOST_NAMESPACES.net);
    expect(process.namespaces.user).toBe(HOST_NAMESPACES.user);
    expect(process.inHostUserNamespace).toBe(true);
    expect(process.execNamespaces).toEqual(process.namespaces);
    expect(process.exempt).toBe(false);
  });

  it('is in the namespace of a namespaced policy', () => {
    expect(read({}, 'team-a').workload).toMatchObject({ namespace: 'team-a' });
    expect(read({ pod: 'team-b' }, 'team-a').workload).toMatchObject({ namespace: 'team-b' });
    expect(read({ pod: { labels: { app: 'web' } } }, 'team-a').workload).toMatchObject({ namespace: 'team-a', labels: { app: 'web' } });
  });

  it('can be one of the host, of a pending container, or of no known pod', () => {
    const host = read({ host: true });
    expect(host.workload).toEqual({ kind: 'host' });
    expect(host.namespaces).toEqual(HOST_NAMESPACES);
    expect(host.nsPid).toBeNull();
    expect(read({ pod: { state: 'pending' } }).workload).toEqual({ kind: 'pending', namespace: null });
    expect(read({ pod: { state: 'pending', namespace: 'a' } }).workload).toEqual({ kind: 'pending', namespace: 'a' });
    expect(read({ pod: { state: 'unknown' } }).workload).toEqual({ kind: 'unknown' });
  });

  it('has an image without tag and digest', () => {
    const repo = (image: string): unknown => read({ pod: { container: { name: 'x', image } } }).workload;
    expect(repo('quay.io:5000/team/proxy:v1@sha256:00')).toMatchObject({ container: { name: 'x', repo: 'quay.io:5000/team/proxy' } });
    expect(repo('quay.io:5000/team/proxy')).toMatchObject({ container: { repo: 'quay.io:5000/team/proxy' } });
  });

  it('has parents, nearest first, each with an id', () => {
    const { ancestors } = read({ process: { parent: '/bin/sh', ancestors: [{ binary: '/sbin/init', pid: 7 }, 'unknown'] } });
    expect(ancestors?.map(({ binary }) => (binary === null ? null : text(binary)))).toEqual(['/bin/sh', '/sbin/init', null]);
    expect(ancestors?.[1]?.pid).toBe(7);
    expect(new Set(ancestors?.map(({ pid }) => pid)).size).toBe(3);
    expect(text(read({}).ancestors?.[0]?.binary)).toContain('containerd-shim');
  });

  it('has namespaces by word and by number, and children go along', () => {
    const { namespaces } = read({ process: { namespaces: { net: 'host', mnt: 77, pid: 'host', user: 'own' } } });
    expect(namespaces).toMatchObject({
      net: HOST_NAMESPACES.net,
      mnt: 77,
      pid: HOST_NAMESPACES.pid,
      pid_for_children: HOST_NAMESPACES.pid,
    });
    expect(read({ process: { namespaces: { user: 'own' } } }).inHostUserNamespace).toBe(false);
    expect(() => read({ process: { namespaces: { net: 'pod' } } })).toThrow('use host, own, or an inode number');
  });

  it('can have had other capabilities and namespaces when it was executed', () => {
    const process = read({ process: { capabilities: ['CAP_SYS_ADMIN'], atExec: { capabilities: [], namespaces: { mnt: 5 } } } });
    expect(process.capabilities.effective).toBe(1n << 21n);
    expect(process.execCapabilities?.effective).toBe(0n);
    expect(process.execNamespaces).toEqual({ ...process.namespaces, mnt: 5 });
    const inHostNetwork = read({ process: { namespaces: { net: 'host' }, atExec: { namespaces: { mnt: 5 } } } });
    expect(inHostNetwork.execNamespaces?.net).toBe(HOST_NAMESPACES.net);
    expect(read({ process: { capabilities: { permitted: ['CAP_CHOWN'] } } }).capabilities).toEqual({
      effective: 0n,
      permitted: 1n,
      inheritable: 0n,
    });
  });
});
