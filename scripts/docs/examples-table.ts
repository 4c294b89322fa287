import { ATTACK_TECHNIQUES } from './attack-techniques.ts';
import type { ExampleFile } from './example-files.ts';
import { table } from './markdown.ts';

const ACTIONS: Readonly<Record<string, string>> = { deny: 'deny', kill: 'kill', observe: 'report', none: 'nothing' };

/** Pure: the table of examples/README.md. Throws where a file does not say what the table has to. */
export function examplesTable(files: readonly ExampleFile[]): string {
  const rows = files.map((file) => [
    `[${file.name.replace(/\.yaml$/, '')}](${file.name})`,
    summaryOf(file),
    techniquesOf(file),
    actionOf(file),
    kernelsOf(file),
  ]);
  return table(['policy', 'what it does', 'MITRE ATT&CK', 'action', 'kernels'], rows).join('\n');
}

function summaryOf({ name, summary }: ExampleFile): string {
  if (summary === '') throw new Error(`examples/${name}: no comment at its head says what it does`);
  return summary;
}

function techniquesOf({ name, techniques }: ExampleFile): string {
  if (techniques.length === 0) throw new Error(`examples/${name}: no tag "attack.T…" and no line "# ATT&CK: T…" names a technique`);
  return techniques
    .map((id) => {
      const title = ATTACK_TECHNIQUES.get(id);
      if (title === undefined) throw new Error(`examples/${name}: ${id} is not in scripts/docs/attack-techniques.ts`);
      return `${id} ${title}`;
    })
    .join('<br>');
}

/** The most that it does on any kernel. */
function actionOf({ isMonitor, effects }: ExampleFile): string {
  if (isMonitor) return 'monitor';
  const found = ['deny', 'kill', 'observe'].find((wanted) => effects.some(({ effect }) => effect === wanted)) ?? 'none';
  return ACTIONS[found] ?? found;
}

/** `all`, or those on which it does the most, and what it does on the others. */
function kernelsOf(file: ExampleFile): string {
  const groups = Map.groupBy(file.effects, ({ effect }) => effect);
  if (groups.size === 1) return 'all';
  return [...groups].map(([effect, of]) => `${of.map(({ kernel }) => kernel).join(', ')}: ${ACTIONS[effect] ?? effect}`).join('; ');
}
