import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Runs test files in the order of their names: the proof that uninstalls Palisade comes last. */
export class ByName extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((a, b) => a.moduleId.localeCompare(b.moduleId, 'en')));
  }
}
