import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Runs test files in the order in which they are given: the likeliest to fail come first. */
export class InGivenOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files
  }
}
