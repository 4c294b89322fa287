import type { CliIo } from './cli-io.ts';

export type Style = Readonly<Record<'bold' | 'dim' | 'red' | 'yellow' | 'cyan' | 'green', (text: string) => string>>;

const same = (text: string): string => text;
export const PLAIN: Style = { bold: same, dim: same, red: same, yellow: same, cyan: same, green: same };
const COLORED: Style = { bold: sgr(1, 22), dim: sgr(2, 22), red: sgr(31, 39), yellow: sgr(33, 39), cyan: sgr(36, 39), green: sgr(32, 39) };

type Screen = Pick<CliIo, 'isTerminal' | 'isErrorTerminal' | 'environment'>;

/** Colours go to a terminal only, to a dumb one never, and nowhere with NO_COLOR in the environment. */
export function styleOf(screen: Screen, stream: 'stdout' | 'stderr'): Style {
  return isColorful(screen, stream) ? COLORED : PLAIN;
}

export function isColorful({ isTerminal, isErrorTerminal, environment }: Screen, stream: 'stdout' | 'stderr'): boolean {
  const { NO_COLOR = '', TERM = '' } = environment;
  return (stream === 'stdout' ? isTerminal : isErrorTerminal) && NO_COLOR === '' && TERM !== 'dumb';
}

function sgr(on: number, off: number): (text: string) => string {
  return (text) => `\u001b[${on}m${text}\u001b[${off}m`;
}
