import { describe, expect, it } from 'vitest';
import { CAPABILITIES } from '../capabilities.ts';
import { createProblemSink, formatProblem } from '../problem.ts';
import { selector } from '../schema/selectors.ts';
import {
  compileBinaryFilter,
  compileCapabilityChangeFilter,
  compileCapabilityFilter,
  compileNamespaceChangeFilter,
  compileNamespaceFilter,
  compilePidFilter,
} from './process-filters.ts';

/** Compiles every entry of the blocks of a selector, with the defaults that the schema gives them. */
function compileBlocks(spec: object) {
  const sink = createProblemSink();
  const blocks = selector.parse(spec);
  const filters = [
    ...(blocks.matchBinaries ?? []).map((each) => compileBinaryFilter(sink, 'b', each)),
    ...(blocks.matchParentBinaries ?? []).map((each) => compileBinaryFilter(sink, 'p', each, 'parent')),
    ...(blocks.matchPIDs ?? []).map((each) => compilePidFilter(sink, 'pid', each)),
    ...(blocks.matchNamespaces ?? []).map((each) => compileNamespaceFilter(sink, 'n', each)),
    ...(blocks.matchNamespaceChanges ?? []).map((each) => compileNamespaceChangeFilter(sink, 'nc', each)),
    ...(blocks.matchCapabilities ?? []).map((each) => compileCapabilityFilter(sink, 'c', each)),
    ...(blocks.matchCapabilityChanges ?? []).map((each) => compileCapabilityChangeFilter(sink, 'cc', each)),
  ];
  return { filters: filters.flat().filter((each) => each !== undefined), lines: sink.list().map(formatProblem) };
}

describe('filters on processes', () => {
  it('binaries are sorted paths, of the process or its parent, with or without descendants', () => {
    const values = ['/usr/bin/b', '/bin/a', '/bin/a'];
    expect(
      compileBlocks({
        matchBinaries: [{ operator: 'In', values, followChildren: true }],
        matchParentBinaries: [{ operator: 'NotPostfix', values: ['sh'] }],
      }),
    ).toEqual({
      filters: [
        { on: 'binary', operator: 'In', values: ['/bin/a', '/usr/bin/b'], followChildren: true },
        { on: 'binary', operator: 'NotPostfix', values: ['sh'], of: 'parent' },
      ],
      lines: [],
    });
  });

  it.each([
    [{ operator: 'In', values: ['bash'] }, 'b.values[0]: "bash" never matches: it is no absolute path'],
    [{ operator: 'Prefix', values: ['usr/'] }, 'b.values[0]: "usr/" never matches: it is no absolute path'],
    [{ operator: 'In', values: [] }, 'b.values: has no values'],
    [{ operator: 'In', values: [''] }, 'b.values[0]: is empty'],
    [{ operator: 'In', values: [`/${'x'.repeat(1023)}`] }, 'b.values[0]: 1024 bytes is too long for In; at most 1023'],
    [{ operator: 'Postfix', values: ['x'.repeat(249)] }, 'b.values[0]: 249 bytes is too long for Postfix; at most 248'],
    [
      { operator: 'Prefix', values: ['/usr/'], followChildren: true },
      'b.followChildren: followChildren does not work with Prefix; use In or NotIn, and whole paths',
    ],
  ])('matchBinaries %j is refused', (filter, line) => {
    expect(compileBlocks({ matchBinaries: [filter] })).toEqual({ filters: expect.any(Array), lines: [line] });
  });

  it('all entries of matchPIDs count, with all their values: upstream looks at four of the first', () => {
    const many = Array.from({ length: 1000 }, (_, pid) => pid + 1);
    expect(
      compileBlocks({
        matchPIDs: [
          { operator: 'NotIn', values: [0, 1], isNamespacePID: true, followForks: true },
          { operator: 'In', values: many.toReversed() },
        ],
      }),
    ).toEqual({
      filters: [
        { on: 'pid', operator: 'NotIn', values: ['0', '1'], isNamespacePid: true, followForks: true },
        { on: 'pid', operator: 'In', values: many.map(String) },
      ],
      lines: [],
    });
  });

  it('all entries of matchCapabilities and matchCapabilityChanges count: upstream looks at the first', () => {
    expect(
      compileBlocks({
        matchCapabilities: [
          { operator: 'In', values: ['CAP_CHOWN', 'cap_kill'] },
          { type: 'Permitted', operator: 'NotIn', values: [' CAP_SYS_ADMIN '], isNamespaceCapability: true },
        ],
        matchCapabilityChanges: [{ type: 'Inheritable', operator: 'In', values: ['DAC_OVERRIDE'] }],
      }),
    ).toEqual({
      filters: [
        { on: 'capability', set: 'effective', operator: 'In', mask: '33', isNamespaceCapability: false },
        { on: 'capability', set: 'permitted', operator: 'NotIn', mask: String(1 << 21), isNamespaceCapability: true },
        { on: 'namespace', namespace: 'user', operator: 'NotIn', values: ['host_ns'] },
        { on: 'capabilityChange', set: 'inheritable', operator: 'In', mask: '2', isNamespaceCapability: false },
      ],
      lines: [],
    });
    expect(compileBlocks({ matchCapabilities: [{ operator: 'In', values: ['SYS_ADMN'] }] }).lines).toEqual([
      'c.values[0]: Linux has no capability "SYS_ADMN"; did you mean "CAP_SYS_ADMIN"?',
    ]);
  });

  it('NotIn on changes is about a change of something else (as upstream)', () => {
    const all = (1n << 41n) - 1n;
    expect(
      compileBlocks({
        matchNamespaceChanges: [{ operator: 'NotIn', values: ['Uts', 'Ipc', 'Time', 'TimeForChildren', 'Cgroup', 'User', 'Net'] }],
        matchCapabilityChanges: [{ operator: 'NotIn', values: ['CAP_CHOWN'] }],
      }),
    ).toEqual({
      filters: [
        { on: 'namespaceChange', operator: 'In', namespaces: ['mnt', 'pid', 'pid_for_children'] },
        { on: 'capabilityChange', set: 'effective', operator: 'NotIn', mask: '1', isNamespaceCapability: false },
        { on: 'capabilityChange', set: 'effective', operator: 'In', mask: String(all - 1n), isNamespaceCapability: false },
      ],
      lines: [],
    });
    expect(
      compileBlocks({
        matchNamespaceChanges: [
          {
            operator: 'NotIn',
            values: ['Uts', 'Ipc', 'Mnt', 'Pid', 'PidForChildren', 'Net', 'Time', 'TimeForChildren', 'Cgroup', 'User'],
          },
        ],
        matchCapabilityChanges: [{ operator: 'NotIn', values: [...CAPABILITIES] }],
      }).lines,
    ).toEqual([
      'nc.values: never matches: these are all kinds of namespaces, and NotIn is about the others',
      'cc.values: never matches: these are all capabilities, and NotIn is about a change of others',
    ]);
  });

  it('namespaces are 64 of Linux in one filter, and as many of Kubernetes as there are', () => {
    const namespaces = (namespace: string, count: number) =>
      compileBlocks({ matchNamespaces: [{ namespace, operator: 'NotIn', values: Array.from({ length: count }, (_, at) => `${at + 1}`) }] })
        .lines;
    expect(namespaces('Net', 64)).toEqual([]);
    expect(namespaces('Net', 65)).toEqual(['n.values: 65 values; at most 64']);
    expect(namespaces('Pod', 500)).toEqual([]);
  });

  it('namespaces have kinds, in any case where they are values', () => {
    expect(
      compileBlocks({
        matchNamespaces: [{ namespace: 'PidForChildren', operator: 'In', values: ['0x10', 'host_ns', '3'] }],
        matchNamespaceChanges: [{ operator: 'In', values: ['Net', 'mnt', 'NET'] }],
      }),
    ).toEqual({
      filters: [
        { on: 'namespace', namespace: 'pid_for_children', operator: 'In', values: ['3', '16', 'host_ns'] },
        { on: 'namespaceChange', operator: 'In', namespaces: ['mnt', 'net'] },
      ],
      lines: [],
    });
    expect(
      compileBlocks({
        matchNamespaces: [{ namespace: 'Mnt', operator: 'In', values: ['hostns', 'default'] }],
        matchNamespaceChanges: [{ operator: 'In', values: ['Mount', 'Netw'] }],
      }).lines,
    ).toEqual([
      'n.values[0]: "hostns" is neither host_ns nor an inode number; did you mean "host_ns"?',
      'n.values[1]: "default" is neither host_ns nor an inode number; for Kubernetes namespaces use "namespace: Pod"',
      'nc.values[0]: "Mount" is no kind of Linux namespace; one of Uts, Ipc, Mnt, Pid, PidForChildren, Net, Time, TimeForChildren, Cgroup, User',
      'nc.values[1]: "Netw" is no kind of Linux namespace; did you mean "Net"?',
    ]);
  });
});
