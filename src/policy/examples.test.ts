import { describe, expect, it } from 'vitest';
import { compiled, policyFiles, findProblems } from './testing/policies.ts';

describe('the example policies', () => {
  for (const file of [...policyFiles('examples/seed'), ...policyFiles('examples')]) {
    it(`${file.name} compiles without a warning`, () => {
      expect(findProblems(file.object)).toEqual([]);
    });
  }

  it("the seed's three policies mean what their text says", () => {
    const [etc, shells, exec] = policyFiles('examples/seed').map((file) => compiled(file.object).plan.hooks[0]);
    expect(etc).toMatchObject({ target: 'security_file_open', selectors: [{ actions: [{ type: 'sigkill' }] }] });
    expect(etc?.selectors[0]?.filters).toEqual([
      { on: 'podNamespace', operator: 'NotIn', values: ['kube-system'] },
      { on: 'capability', set: 'effective', operator: 'NotIn', mask: String(1n << 21n), isNamespaceCapability: false },
      { on: 'bytes', arg: 0, operator: 'Prefix', values: ['/etc/'] },
    ]);
    expect(shells?.selectors[0]?.filters).toContainEqual({
      on: 'podNamespace',
      operator: 'NotIn',
      values: ['kube-system', 'monitoring'],
    });
    expect(exec).toMatchObject({ target: 'sys_execve', syscall: true, selectors: [{ filters: [], actions: [{ type: 'post' }] }] });
  });

  it('digests of the examples stay the same from one version to the next, so that an upgrade reloads nothing', () => {
    const digests = [...policyFiles('examples/seed'), ...policyFiles('examples')].map(({ name, object }) => [
      name,
      compiled(object).digest,
    ]);
    expect(Object.fromEntries(digests)).toMatchInlineSnapshot(`
      {
        "block-etc-writes.yaml": "23248254b6f8232dd9fb0956a3cffc4040cb3709a43e1bfff52440d0aa1ba4e1",
        "block-reverse-shell-tools.yaml": "a979398010eb74cbaa873baf3fb06322e8187885833d23626f93e0864c1d3cc7",
        "deny-secret-file.yaml": "53460bf7adff4be8108d319a961d4f12e9224addacabf105eb52c1e4a17aae4b",
        "monitor-service-account-token.yaml": "34fd32754e153ee7e4277ff0d4acca148bdb58a5bb8a27b532b42b656baef431",
        "namespaced-shells.yaml": "3044d5d00e07fe832419a398c2868920230efe40a18c19825d6d56b7d7980d8d",
        "observe-all-exec.yaml": "b78e72b36e051b1a6d910b3a6ce131de11d67dc9e51d1720b1f9bb05175c2193",
        "watch-privileges.yaml": "8f9ceeacc9492897517d5f6fb2092b0c143ed2d6a42637e2e23aecbe403870ad",
      }
    `);
  });
});
