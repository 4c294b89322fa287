import { LIMITS } from './limits.ts';
import { type CharSet, type PatternNode, parseNamePattern } from './name-pattern-parser.ts';

export type NamePattern =
  | {
      readonly ok: true;
      readonly matches: (name: string) => boolean;
      /** What all names together took so far, in steps of the pattern that were looked at: the same on every machine. */
      readonly spentSteps: () => number;
    }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

/**
 * A regular expression on names of functions (`lists[].pattern`). It means what it means in Go (RE2) and in JavaScript: what the two
 * read differently is refused. Never the engine of JavaScript: this one needs time in proportion to the name times the pattern written
 * out, and no more. Over all names of a kernel that may be seconds, so whoever compares many bounds `spentSteps`.
 * A match may begin and end anywhere, as upstream; `^` and `$` say otherwise.
 */
export function compileNamePattern(pattern: string): NamePattern {
  if (pattern.length > LIMITS.patternChars) {
    return { ok: false, message: `${pattern.length} characters`, hint: `at most ${LIMITS.patternChars}` };
  }
  const parsed = parseNamePattern(pattern);
  if (!parsed.ok) {
    return parsed;
  }
  const program: Program = [];
  const isSmall = emit(program, parsed.node) && program.length < MAX_STEPS;
  program.push({ op: 'match' });
  return isSmall
    ? { ok: true, ...createMatcher(program) }
    : { ok: false, message: 'is too large when its repetitions are written out', hint: 'repeat less' };
}

/** What a pattern may become; a repetition of a repetition multiplies. */
const MAX_STEPS = 2_000;

type Step =
  | { readonly op: 'char'; readonly set: CharSet }
  | { readonly op: 'start' | 'end' | 'match' }
  /** Both ways are tried; relative to this step. */
  | { readonly op: 'split'; readonly first: number; readonly second: number };

type Program = Step[];

/** Appends a node; what follows it in the program is what follows it in the pattern. False: too large. */
function emit(program: Program, node: PatternNode): boolean {
  switch (node.is) {
    case 'char':
      program.push({ op: 'char', set: node.set });
      return program.length < MAX_STEPS;
    case 'start':
    case 'end':
      program.push({ op: node.is });
      return program.length < MAX_STEPS;
    case 'all':
      return node.nodes.every((child) => emit(program, child));
    case 'any':
      return emitAny(program, node.nodes);
    case 'repeat':
      return emitRepeat(program, node);
  }
}

function emitAny(program: Program, nodes: readonly PatternNode[]): boolean {
  const [first, ...others] = nodes;
  if (first === undefined || others.length === 0) {
    return first === undefined || emit(program, first);
  }
  const left: Program = [];
  const right: Program = [];
  if (!emit(left, first) || !emitAny(right, others)) {
    return false;
  }
  program.push({ op: 'split', first: 1, second: left.length + 2 }, ...left);
  program.push({ op: 'split', first: right.length + 1, second: right.length + 1 }, ...right);
  return program.length < MAX_STEPS;
}

function emitRepeat(program: Program, { node, min, max }: PatternNode & { readonly is: 'repeat' }): boolean {
  const body: Program = [];
  if (!emit(body, node)) {
    return false;
  }
  const copies = max ?? min + 1;
  if (copies * (body.length + 2) > MAX_STEPS) {
    return false;
  }
  for (let copy = 0; copy < min; copy += 1) {
    program.push(...body);
  }
  if (max === null) {
    program.push({ op: 'split', first: 1, second: body.length + 2 }, ...body);
    program.push({ op: 'split', first: -body.length - 1, second: -body.length - 1 });
    return program.length < MAX_STEPS;
  }
  for (let copy = min; copy < max; copy += 1) {
    program.push({ op: 'split', first: 1, second: (max - copy) * (body.length + 1) }, ...body);
  }
  return program.length < MAX_STEPS;
}

/** A set of steps at which a match may stand, and where each character leads from it. */
type State = {
  readonly steps: readonly number[];
  readonly found: boolean;
  readonly foundAtEnd: boolean;
  readonly next: Map<number, State>;
};

/** States are kept: names are many and much alike. More than this are not needed; then all are forgotten. */
const MAX_STATES = 1_000;

function createMatcher(program: Program): Pick<NamePattern & { readonly ok: true }, 'matches' | 'spentSteps'> {
  const states = new Map<string, State>();
  let spent = 0;
  const stateOf = (seeds: readonly number[], atStart: boolean): State => {
    const steps = closure(program, seeds, { atStart, atEnd: false });
    spent += seeds.length + steps.length + 1;
    const key = `${atStart ? '^' : ''}${steps.join()}`;
    const known = states.get(key);
    if (known !== undefined) {
      return known;
    }
    const isMatch = (step: number): boolean => program[step]?.op === 'match';
    const foundAtEnd = closure(program, seeds, { atStart, atEnd: true }).some(isMatch);
    const state: State = { steps, found: steps.some(isMatch), foundAtEnd, next: new Map() };
    states.set(key, state);
    return state;
  };
  let initial = stateOf([0], true);
  const advance = (state: State, code: number): State => {
    const known = state.next.get(code);
    if (known !== undefined) {
      return known;
    }
    if (states.size > MAX_STATES) {
      states.clear();
      initial = stateOf([0], true);
    }
    spent += state.steps.length;
    const seeds = [0];
    for (const step of state.steps) {
      const waiting = program[step];
      if (waiting?.op === 'char' && isIn(waiting.set, code)) {
        seeds.push(step + 1);
      }
    }
    const next = stateOf(seeds, false);
    state.next.set(code, next);
    return next;
  };
  const matches = (name: string): boolean => {
    let state = initial;
    for (let at = 0; at < name.length && !state.found; at += 1) {
      state = advance(state, name.charCodeAt(at));
    }
    return state.found || state.foundAtEnd;
  };
  return { matches, spentSteps: () => spent };
}

/** All steps that wait for a character or are the end, reachable without one; sorted. */
function closure(program: Program, seeds: readonly number[], where: { readonly atStart: boolean; readonly atEnd: boolean }): number[] {
  const seen = new Set<number>();
  const open = [...seeds];
  const found: number[] = [];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const step = program[at];
    if (step === undefined || seen.has(at)) {
      continue;
    }
    seen.add(at);
    if (step.op === 'split') {
      open.push(at + step.first, at + step.second);
    } else if (step.op === 'start' ? where.atStart : step.op === 'end' && where.atEnd) {
      open.push(at + 1);
    } else if (step.op !== 'start') {
      found.push(at);
    }
  }
  return found.toSorted((a, b) => a - b);
}

function isIn(set: CharSet, code: number): boolean {
  return set.ranges.some(([min, max]) => code >= min && code <= max) !== set.negated;
}
