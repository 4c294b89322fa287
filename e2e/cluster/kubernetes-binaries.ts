import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../host/cache.ts';
import { runCommand } from '../host/command.ts';

const moduleFolder = path.join(import.meta.dirname, 'kubernetes');
const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kubelet'] as const;

/** The version in go.mod, stamped into the programs as a release build does. */
function versionOf(goMod: string): string {
  const version = /^(?:require )?\s*k8s\.io\/kubernetes (v\S+)/m.exec(goMod)?.[1];
  if (version === undefined) throw new Error("e2e/cluster/kubernetes/go.mod: no line 'require k8s.io/kubernetes vX.Y.Z'");
  return version;
}

function linkerFlags(version: string): string {
  const [major, minor] = version.slice(1).split('.');
  const stamp = (name: string, value: string): string =>
    `-X k8s.io/component-base/version.${name}=${value} -X k8s.io/client-go/pkg/version.${name}=${value}`;
  return ['-s -w', stamp('gitVersion', version), stamp('gitMajor', major ?? ''), stamp('gitMinor', minor ?? '')].join(' ');
}

/** Builds Kubernetes from the Go module proxy (about four minutes on two cores) and returns the folder of its programs. */
export async function kubernetesBinaries(cache: string, env: NodeJS.ProcessEnv): Promise<string> {
  const goMod = await readFile(path.join(moduleFolder, 'go.mod'), 'utf8');
  const goSum = await readFile(path.join(moduleFolder, 'go.sum'), 'utf8');
  const flags = linkerFlags(versionOf(goMod));
  return cachedFolder({
    cache,
    name: 'kubernetes',
    inputs: [goMod, goSum, flags, programs.join(' ')],
    make: async (folder) => {
      const packages = programs.map((program) => `k8s.io/kubernetes/cmd/${program}`);
      await runCommand(['go', 'build', '-trimpath', `-ldflags=${flags}`, '-o', `${folder}/`, ...packages], {
        cwd: moduleFolder,
        // The toolchain that go.mod names is fetched where an older go is installed.
        env: { ...env, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto', GOFLAGS: '-buildvcs=false' },
      });
    },
  });
}
