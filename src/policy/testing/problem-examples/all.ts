import type { ProblemCode } from '../../problem-codes.ts';
import { ACTION_EXAMPLES } from './actions.ts';
import { DANGER_EXAMPLES } from './dangers.ts';
import type { Examples } from './example.ts';
import { FILE_EXAMPLES } from './files.ts';
import { FILTER_EXAMPLES } from './filters.ts';
import { HOOK_EXAMPLES } from './hooks.ts';
import { TEST_EXAMPLES } from './tests.ts';

/** One for each code; a code without one does not compile. */
export const PROBLEM_EXAMPLES: Examples<ProblemCode> = {
  ...FILE_EXAMPLES,
  ...HOOK_EXAMPLES,
  ...FILTER_EXAMPLES,
  ...ACTION_EXAMPLES,
  ...TEST_EXAMPLES,
  ...DANGER_EXAMPLES,
};
