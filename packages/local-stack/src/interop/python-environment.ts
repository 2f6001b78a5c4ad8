import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { REPO_ROOT } from '../support/repo-root.ts'

/** beside other caches of tools, which Git does not see */
const CACHE = join(REPO_ROOT, 'node_modules/.cache')
const PACKAGES = [
  'duckdb==1.5.5',
  'duckdb-extension-httpfs==1.5.5',
  'polars==2.1.0',
  'pandas==3.1.1',
  'pyarrow==26.0.1',
  'fastparquet==2026.9.0',
  'fsspec==2026.9.0',
  'aiohttp==3.14.5',
  'chdb==4.4.0',
]
/** In an environment of its own: it takes no pandas 3. */
const SHARING_PACKAGES = ['delta-sharing==1.4.2', 'pandas==2.3.3', 'pyarrow==23.0.1']
/** 400 MB, and it needs Java. */
const SPARK = 'pyspark==4.3.0'

export interface PythonEnvironment {
  readonly python: string
  /** DuckDB's extension for HTTP, which it would else fetch by itself */
  readonly httpfs: string
}

/** Adds Spark. @returns why it cannot be had */
export function addSpark({ python }: PythonEnvironment): string | undefined {
  try {
    execFileSync('java', ['-version'], { stdio: 'pipe' })
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', SPARK], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return firstErrorOf(error)
  }
}

/** @returns the environment, or why there is none */
export function makePythonEnvironment(): PythonEnvironment | string {
  const made = makeEnvironment('interop-python', PACKAGES)
  if ('missing' in made) return made.missing
  const [httpfs] = globSync(
    join(made.folder, 'lib/*/site-packages/duckdb_extension_httpfs/extensions/*/*.duckdb_extension'),
  )
  return httpfs === undefined ? 'the HTTP extension of DuckDB is not in it' : { python: made.python, httpfs }
}

/** @returns the interpreter that has the client of Delta Sharing, or why there is none */
export function makeSharingEnvironment(): { python: string } | string {
  const made = makeEnvironment('interop-delta-sharing', SHARING_PACKAGES)
  return 'missing' in made ? made.missing : { python: made.python }
}

function makeEnvironment(name: string, packages: readonly string[]) {
  const folder = join(CACHE, name)
  const python = join(folder, 'bin/python')
  if (existsSync(python)) return { folder, python }
  const interpreter = process.env.FUSOU_PYTHON ?? 'python3'
  mkdirSync(CACHE, { recursive: true })
  try {
    execFileSync(interpreter, ['-m', 'venv', folder], { stdio: 'pipe' })
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]
    execFileSync(python, install, { stdio: 'pipe' })
    return { folder, python }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    return { missing: `${interpreter} could not make it: ${firstErrorOf(error)}` }
  }
}

function firstErrorOf(error: unknown): string {
  const stderr = String((error as { stderr?: unknown }).stderr ?? error)
  return stderr.split('\n').find((line) => /error/i.test(line)) ?? stderr
}
