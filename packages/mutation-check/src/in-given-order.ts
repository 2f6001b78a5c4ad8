import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Runs test files in the order that the caller asks for by MUTATION_ORDER: the likeliest to fail come first. */
export class InGivenOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order: string[] = JSON.parse(process.env.MUTATION_ORDER ?? '[]')
    const place = ({ moduleId }: TestSpecification) => order.findIndex((name) => moduleId.endsWith(`/${name}`))
    return [...files].sort((a, b) => place(a) - place(b))
  }
}
