import type { TestModule } from 'vitest/node'

export interface FileReport {
  /** from the root of its package */
  readonly path: string
  readonly milliseconds: number
  /** names of failed tests with the first line of their errors */
  readonly failures: string[]
  /** numbers of the blocks that its tests reached, as `markBlocks` counts them */
  readonly reached: number[]
}

export function reportOf(module: TestModule): FileReport {
  const failures = module.errors().map((error) => `(file) ${firstLine(error.message)}`)
  const reached = new Set<number>()
  for (const test of module.children.allTests()) {
    const result = test.result()
    if (result.state === 'failed') failures.push(`${test.fullName}: ${firstLine(result.errors[0]?.message)}`)
    for (const block of (test.meta() as { reached?: number[] }).reached ?? []) reached.add(block)
  }
  const { duration, setupDuration, collectDuration } = module.diagnostic()
  return {
    path: module.relativeModuleId,
    milliseconds: Math.round(duration + setupDuration + collectDuration),
    failures,
    reached: [...reached].sort((a, b) => a - b),
  }
}

export function firstLine(message: string | undefined): string {
  return (message ?? '').split('\n')[0]!.slice(0, 160)
}
