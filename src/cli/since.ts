import { CliError } from './cli-io.ts';

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m`, `1h30m`, `2d` before now, or a time in RFC 3339; back comes RFC 3339 in UTC. */
export function parseSince(text: string, nowMs: number): string {
  const parts = [...text.matchAll(/(\d{1,9})([smhd])/g)];
  if (parts.length > 0 && parts.map(([whole]) => whole).join('') === text) {
    const backMs = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS_MS[unit ?? ''] ?? 0), 0);
    return new Date(Math.max(0, nowMs - backMs)).toISOString();
  }
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs))
    throw new CliError(
      `--since ${JSON.stringify(text)} is neither a duration such as 10m or 1h30m nor a time such as 2026-01-31T12:00:00Z`,
    );
  return new Date(timeMs).toISOString();
}
