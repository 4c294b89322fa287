/** Which folders of src/ a folder may import from, beside itself (docs/architecture.md). */
const allowed: Readonly<Record<string, readonly string[]>> = {
  policy: [],
  telemetry: [],
  abi: [],
  protocol: ['policy', 'abi'],
  kube: ['telemetry'],
  linker: ['policy', 'abi'],
  controller: ['policy', 'linker', 'protocol', 'kube', 'telemetry'],
  webhook: ['policy', 'linker', 'protocol', 'kube', 'telemetry'],
  nodeagent: ['policy', 'linker', 'protocol', 'abi', 'telemetry'],
  cli: ['nodeagent', 'policy', 'linker', 'protocol', 'abi', 'kube', 'telemetry'],
};

/** The modules that a source file imports, as written there. */
export function importsOf(source: string): string[] {
  const statements =
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
  return [...source.matchAll(statements)].flatMap((match) => match[1] ?? match[2] ?? match[3] ?? []);
}

/**
 * Says what is wrong with an import. `file` and `target` are paths below src/; a target outside src/ (undefined) is a
 * package and free. Test files and helpers for tests may look everywhere in src/.
 */
export function arrowProblem(file: string, target: string): string | undefined {
  const [from = '', to = ''] = [file.split('/')[0], target.split('/')[0]];
  if (from === to) return undefined;
  if (target.startsWith('../'))
    return `src/${file}: imports ${target.slice(3)}, which is outside src/: the product must not need tests or scripts`;
  const targets = allowed[from];
  if (targets === undefined) return `src/${file}: the folder src/${from} is not in the list of scripts/arrows.ts`;
  if (targets.includes(to)) return undefined;
  return `src/${file}: imports src/${target}; src/${from} may import from ${targets.length === 0 ? 'no other folder' : targets.map((name) => `src/${name}`).join(', ')}`;
}
