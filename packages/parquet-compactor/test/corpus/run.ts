/** `npm run corpus`: the whole corpus, with a Python environment for the writers that need one. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { makePythonEnvironment } from './python-environment.ts'

const missing = makePythonEnvironment()
if (missing) console.log(`pyarrow and fastparquet are left out: ${missing}`)
const { status } = spawnSync('vitest', ['run', 'test/corpus.test.ts', ...process.argv.slice(2)], {
  cwd: join(import.meta.dirname, '../..'),
  env: { ...process.env, FUSOU_CORPUS: 'whole', ...(!missing && { FUSOU_CORPUS_PYTHON: 'yes' }) },
  stdio: 'inherit',
})
process.exitCode = status ?? 1
