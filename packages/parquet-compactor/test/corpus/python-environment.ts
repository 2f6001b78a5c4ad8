import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** beside other caches of tools, which Git does not see */
const ENVIRONMENT = join(import.meta.dirname, '../../node_modules/.cache/corpus-python')

const PACKAGES = ['pyarrow==26.0.1', 'fastparquet==2026.9.0', 'pandas==3.1.1', 'numpy==2.4.6']

/** The interpreter that has the packages, once `makePythonEnvironment` was here. */
export const PYTHON = join(ENVIRONMENT, 'bin/python')

/** @returns why there is no environment; undefined where there is one */
export function makePythonEnvironment(): string | undefined {
  if (existsSync(PYTHON)) return undefined
  const [interpreter = 'python3'] = [process.env.FUSOU_PYTHON].filter((path) => path !== undefined)
  mkdirSync(join(ENVIRONMENT, '..'), { recursive: true })
  try {
    execFileSync(interpreter, ['-m', 'venv', ENVIRONMENT], { stdio: 'pipe' })
    execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES], {
      stdio: 'pipe',
    })
    return undefined
  } catch (error) {
    rmSync(ENVIRONMENT, { recursive: true, force: true })
    const [, line = ''] =
      String((error as { stderr?: unknown }).stderr ?? '').match(/(?:^|\n)([^\n]*error[^\n]*)/i) ?? []
    return `${interpreter} could not make it: ${line || (error instanceof Error ? error.message : String(error))}`
  }
}
