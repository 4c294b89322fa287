/** Prints what a test has measured: figures are shown, not asserted. */
export function figure(name: string, value: number | string, unit = ''): void {
  const shown = typeof value === 'number' ? String(Math.round(value * 10) / 10) : value;
  process.stdout.write(`    · ${name}: ${shown}${unit === '' ? '' : ` ${unit}`}\n`);
}
