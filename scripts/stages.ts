/** One step of `make test`, in a process of its own. */
export type Stage = {
  readonly name: string;
  readonly group: 'build' | 'lint' | 'test';
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** How its tests are counted; a step without tests counts only when it fails. */
  readonly counts: 'nothing' | 'cargo' | { readonly vitestReport: string };
  /** When it fails, what comes after it makes no sense. */
  readonly vital: 'yes' | 'no';
};

type StageInput = {
  readonly node: string;
  /** Folder for reports. */
  readonly out: string;
  readonly isRoot: boolean;
  readonly exists: (path: string) => boolean;
};

const bin = (name: string): string => `node_modules/.bin/${name}`;

/**
 * Machines and clusters run in network, process and mount namespaces of their own: no port collides with anything, nothing
 * leaves the machine, and whatever a test starts ends with it. An ordinary user gets a user namespace as well.
 */
function inNamespaces(isRoot: boolean, argv: readonly string[]): [string, ...string[]] {
  const flags = isRoot ? '-mnpf' : '-Urmnpf';
  return ['unshare', flags, '--kill-child', '--mount-proc', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...argv];
}

/** The steps of `make test` in their order. A part of the project that is not there yet has no step. */
export function stages(input: StageInput): Stage[] {
  const { node, out, exists } = input;
  const vitest = (project: string): [string, ...string[]] => {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${out}/${project}.json`];
    return [node, 'node_modules/vitest/vitest.mjs', 'run', '--project', project, '--passWithNoTests', ...reporters];
  };
  const vitestStage = (project: string, argv: [string, ...string[]]): Stage => ({
    name: `${project} tests`,
    group: 'test',
    argv,
    counts: { vitestReport: `${out}/${project}.json` },
    vital: 'no',
  });
  const check = (name: string, argv: [string, ...string[]]): Stage => ({ name, group: 'lint', argv, counts: 'nothing', vital: 'no' });
  const all: (Stage | undefined)[] = [
    { name: 'build', group: 'build', argv: [node, 'scripts/build.ts'], counts: 'nothing', vital: 'yes' },
    check('types', [bin('tsc'), '-p', 'tsconfig.json']),
    check('lint rules', [bin('oxlint'), '--type-aware', '--deny-warnings']),
    check('import arrows', [node, 'scripts/check-arrows.ts']),
    check('format', [bin('oxfmt'), '--check', 'src', 'e2e', 'scripts', ...(exists('bench/bench.ts') ? ['bench'] : []), 'vitest.config.ts']),
    check('generated files', [node, 'scripts/generate.ts', '--check']),
    exists('Cargo.toml') ? check('clippy', ['cargo', 'clippy', '--locked', '--all-targets', '-q', '--', '-D', 'warnings']) : undefined,
    vitestStage('unit', vitest('unit')),
    exists('Cargo.toml')
      ? { name: 'cargo tests', group: 'test', argv: ['cargo', 'test', '--locked', '-q'], counts: 'cargo', vital: 'no' }
      : undefined,
    exists('e2e/api') ? vitestStage('api', inNamespaces(input.isRoot, vitest('api'))) : undefined,
    exists('e2e/kernels') ? vitestStage('kernels', inNamespaces(input.isRoot, vitest('kernels'))) : undefined,
    // As a newcomer would, where the package registries are: its cluster takes free ports, and `make down` ends it.
    exists('e2e/clone') ? vitestStage('clone', vitest('clone')) : undefined,
    exists('e2e/cluster/tests') ? vitestStage('cluster', inNamespaces(input.isRoot, vitest('cluster'))) : undefined,
  ];
  return all.filter((stage) => stage !== undefined);
}
