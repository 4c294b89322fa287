import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../compile.ts';
import { parse } from '../parse.ts';
import { formatProblem, type Problem } from '../problem.ts';
import { withTextReplaced } from '../testing/mutation.ts';
import { mutatedFiles } from '../testing/text-mutation.ts';
import { policyFiles, policyObject } from '../testing/policies.ts';
import { WHOLE_LANGUAGE } from '../testing/whole-language.ts';
import { formatLocated, locateProblems } from './locate.ts';
import { readDocuments } from './read-documents.ts';

/** 10,000 files in `make test`, a million in `make test-deep`. */
const isDeep = process.env['PALISADE_DEEP'] === '1';
const fileCount = isDeep ? 1_000_000 : 10_000;
const maxGrowthBytes = 64 << 20;
/** Of processor time: the machine may be busy with something else. */
const maxCpuMs = 1_000;

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));

type Outcome = 'unreadable' | 'misshapen' | 'refused' | 'compiled' | 'skipped';

/** All the way that a file goes in `palisade lint`; fails if what it says is not fit to be shown. */
function check(bytes: Uint8Array): Outcome[] {
  const { documents, problems, skipped } = readDocuments('f.yaml', bytes);
  const lineCount = Buffer.from(bytes).toString('latin1').split('\n').length;
  const outcomes: Outcome[] = [...problems.map(() => 'unreadable' as const), ...skipped.map(() => 'skipped' as const)];
  const shown = [...problems];
  for (const document of documents) {
    const parsed = parse(document.object);
    const compiled = parsed.ok ? compile(parsed.value) : parsed;
    const found: readonly Problem[] = compiled.ok ? compiled.warnings : compiled.problems;
    outcomes.push(compiled.ok ? 'compiled' : parsed.ok ? 'refused' : 'misshapen');
    if (!compiled.ok) expect(found.length).toBeGreaterThan(0);
    shown.push(...locateProblems(document, found));
  }
  for (const located of shown) {
    expectFitToShow(located.problem);
    const { line, column, endLine, endColumn } = located.region;
    const isInside = line >= 1 && line <= lineCount && endLine >= line && endLine <= lineCount && column >= 1 && endColumn >= 1;
    if (!isInside) throw new Error(`${formatLocated(located)} is outside of the file's ${lineCount} lines`);
  }
  return outcomes;
}

/** A terminal shows it as it is, on a few lines at most: what a user wrote is quoted and cut. */
function expectFitToShow(problem: Problem): void {
  const text = formatProblem(problem);
  if (text.length > 2_000 || /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(text)) {
    throw new Error(`not fit to be shown: ${JSON.stringify(text.slice(0, 500))}`);
  }
}

function usedHeapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}

const cpuMs = (since: NodeJS.CpuUsage): number => process.cpuUsage(since).user / 1_000;

describe('policy files with something changed somewhere', () => {
  const files = ['examples', 'examples/seed', 'e2e/fixtures/bad'].flatMap(policyFiles).map(({ object }) => object);
  const seeds = [...files, ...WHOLE_LANGUAGE.map(([, spec]) => policyObject(spec))];

  it(
    'are read, parsed and compiled without a crash, in bounded time and memory',
    () => {
      const counts: Record<Outcome, number> = { unreadable: 0, misshapen: 0, refused: 0, compiled: 0, skipped: 0 };
      let slowestMs = 0;
      const run = (numRuns: number): void =>
        fc.assert(
          fc.property(mutatedFiles(seeds), (bytes) => {
            const start = process.cpuUsage();
            for (const outcome of check(bytes)) counts[outcome] += 1;
            const tookMs = cpuMs(start);
            slowestMs = Math.max(slowestMs, tookMs);
            expect(tookMs).toBeLessThan(maxCpuMs);
          }),
          { numRuns },
        );
      run(fileCount / 10);
      const before = usedHeapBytes();
      run((fileCount * 9) / 10);
      const growth = usedHeapBytes() - before;
      process.stdout.write(
        `    · ${fileCount} files: ${JSON.stringify(counts)}; slowest ${slowestMs.toFixed(0)} ms, heap ${growth >> 10} KiB\n`,
      );
      expect(growth).toBeLessThan(maxGrowthBytes);
      // A test that refuses everything at the door would show nothing.
      for (const [outcome, count] of Object.entries(counts)) expect([outcome, count > fileCount / 1_000]).toEqual([outcome, true]);
    },
    isDeep ? 3 * 3_600_000 : 300_000,
  );

  it.each(['\u001b[2J', '\u202egnp.exe', `a${'b'.repeat(5_000)}`, 'x\ny', `/${'\u009b'.repeat(200)}`, `0x${'1'.repeat(3_000)}`])(
    'are never shown with what was written in them as it is: %j',
    (evil) => {
      for (const [, spec] of WHOLE_LANGUAGE) {
        for (const { changed } of withTextReplaced(policyObject(spec), evil)) {
          const parsed = parse(changed);
          const compiled = parsed.ok ? compile(parsed.value) : parsed;
          for (const problem of compiled.ok ? compiled.warnings : compiled.problems) expectFitToShow(problem);
        }
      }
    },
    60_000,
  );

  it('leave nothing behind that fails later', async () => {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });
});
