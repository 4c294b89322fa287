import { describe, expect, it } from 'vitest';
import { arrowProblem, importsOf } from './arrows.ts';

describe('the arrows between folders', () => {
  it('let a folder import from itself and from those below it', () => {
    expect(arrowProblem('linker/link.ts', 'linker/table.ts')).toBeUndefined();
    expect(arrowProblem('linker/link.ts', 'policy/plan.ts')).toBeUndefined();
  });

  it('keep controller and webhook apart, and say what would be right', () => {
    expect(arrowProblem('controller/hub/server.ts', 'webhook/review.ts')).toBe(
      'src/controller/hub/server.ts: imports src/webhook/review.ts; src/controller may import from src/policy, src/linker, src/protocol, src/kube, src/telemetry',
    );
  });

  it('keep the product free of tests and scripts', () => {
    expect(arrowProblem('policy/plan.ts', '../e2e/vm/machine.ts')).toContain('outside src/');
  });

  it('know a folder that nobody has listed', () => {
    expect(arrowProblem('misc/a.ts', 'policy/plan.ts')).toContain('not in the list');
  });

  it('are read from every form of import', () => {
    const source =
      'import { a } from "./a.ts";\nimport type {\n  B,\n} from "../b.ts";\nexport { c } from "./c.ts";\nimport "d";\nconst e = await import("./e.ts");\n';
    expect(importsOf(source)).toEqual(['./a.ts', '../b.ts', './c.ts', 'd', './e.ts']);
  });
});
