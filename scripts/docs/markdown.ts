/** A row of a table; bars inside cells are escaped. */
export function row(...cells: readonly (string | number)[]): string {
  return `| ${cells.map((text) => String(text).replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The lines of a table, its head first. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): readonly string[] {
  return [row(...head), `|${'---|'.repeat(head.length)}`, ...rows.map((cells) => row(...cells))];
}

const MAX_LINE_CHARS = 120;
const MAX_RUN_LINES = 6;

/** What must be changed of a text, in a block that shows it: lines that stay, lines that go (-), and lines that come (+). */
export function changeBlock(before: string, after: string): readonly string[] {
  const changes = diffLines(linesOf(before), linesOf(after));
  return ['```diff', ...shorten(changes), '```'];
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, '').split('\n');
}

/** By the longest common subsequence; texts of this page are short, save for those that are too long, whose middle is the same. */
function diffLines(before: readonly string[], after: readonly string[]): readonly string[] {
  const lengths = before.map(() => after.map(() => 0));
  const at = (row_: number, column: number): number => lengths[row_]?.[column] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const line = lengths[i];
      if (line !== undefined) line[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      out.push(`  ${before[i] ?? ''}`);
      i += 1;
      j += 1;
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      out.push(`- ${before[i] ?? ''}`);
      i += 1;
    } else {
      out.push(`+ ${after[j] ?? ''}`);
      j += 1;
    }
  }
  return out;
}

/** Long lines are cut, and so are long runs of lines that go or come together. */
function shorten(lines: readonly string[]): readonly string[] {
  const out: string[] = [];
  let run: string[] = [];
  const flush = (): void => {
    const cut = run.length > MAX_RUN_LINES;
    out.push(...(cut ? [...run.slice(0, 3), `${run[0]?.[0] ?? ' '} … ${run.length - 3} more lines`] : run));
    run = [];
  };
  for (const line of lines) {
    if (run.length > 0 && run[0]?.[0] !== line[0]) flush();
    run.push(line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS - 1)}…` : line);
  }
  flush();
  return out;
}
