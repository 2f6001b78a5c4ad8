import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Reader } from './open-table.ts'
import type { PythonEnvironment } from './python-environment.ts'

export const PYTHON_READERS = ['duckdb', 'polars', 'pandas', 'pyarrow', 'fastparquet', 'clickhouse'] as const
export type PythonReader = (typeof PYTHON_READERS)[number] | 'spark'

/** An engine of Python in a process of its own, which is told each question on a line and answers on one. */
export const pythonReader =
  ({ python, httpfs }: PythonEnvironment, engine: PythonReader): Reader =>
  async (url) => {
    const child = spawn(python, [join(import.meta.dirname, 'readers.py'), engine, url, httpfs], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let errors = ''
    child.stderr.on('data', (text) => {
      errors += text
    })
    // it may have died of what it was told before
    child.stdin.on('error', () => undefined)
    const ended = once(child, 'close')
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const nextLine = async (): Promise<string> => {
      const { value, done } = await lines.next()
      if (!done) return value
      const [code] = await ended
      throw new Error(errors.trim().split('\n').at(-1) || `it ended with ${code}`)
    }
    await nextLine()
    return {
      async ask(query) {
        child.stdin.write(`${query}\n`)
        return (JSON.parse(await nextLine()) as number | null) ?? undefined
      },
      async close() {
        child.stdin.end()
        await ended
      },
    }
  }
