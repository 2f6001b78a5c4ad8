import type { Catalog } from '@fusou/catalog'
import { vi } from 'vitest'

type Answers = { readonly [Method in keyof Catalog]?: (...args: never[]) => unknown }

/**
 * A catalog that gives these answers and keeps each call, in its order, as the name of the method and its arguments. A
 * call of any other method is an error.
 */
export function fakeCatalog(answers: Answers): { catalog: Catalog; calls: unknown[][] } {
  const calls: unknown[][] = []
  const catalog = new Proxy(answers, {
    get:
      (_, method: keyof Catalog) =>
      async (...args: never[]) => {
        calls.push([method, ...args])
        const answer = answers[method]
        if (answer === undefined) throw new Error(`a call of ${method} was not expected`)
        return answer(...args)
      },
  })
  return { catalog: catalog as unknown as Catalog, calls }
}

/** What is logged while it runs, as the level and the event with its fields. */
export async function logOf(body: () => unknown): Promise<[level: 'info' | 'error', line: Record<string, unknown>][]> {
  const lines: [level: 'info' | 'error', line: Record<string, unknown>][] = []
  const info = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(['info', JSON.parse(line)]))
  const error = vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(['error', JSON.parse(line)]))
  try {
    await body()
  } finally {
    info.mockRestore()
    error.mockRestore()
  }
  return lines
}
