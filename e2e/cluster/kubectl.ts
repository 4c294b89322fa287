import path from 'node:path';
import { runCommand } from '../host/command.ts';

/** kubectl with one identity: what a user of the cluster would type. */
export type Kubectl = {
  readonly run: (args: readonly string[], input?: string) => Promise<string>;
  readonly json: (args: readonly string[]) => Promise<unknown>;
  readonly apply: (manifest: string) => Promise<string>;
};

/** kubectl from the folder of Kubernetes programs, with the given kubeconfig. */
export function kubectlWith(binaries: string, kubeconfigFile: string): Kubectl {
  const run: Kubectl['run'] = async (args, input) => {
    const argv = [path.join(binaries, 'kubectl'), '--kubeconfig', kubeconfigFile, ...args] as const;
    return (await runCommand(argv, input === undefined ? {} : { input })).stdout;
  };
  return {
    run,
    json: async (args) => JSON.parse(await run([...args, '-o', 'json'])) as unknown,
    apply: (manifest) => run(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifest),
  };
}
