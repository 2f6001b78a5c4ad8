// Plain JavaScript with declarations into dist/.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const folder = import.meta.dirname
const compiler = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))

rmSync(join(folder, 'dist'), { recursive: true, force: true })
execFileSync(process.execPath, [join(compiler, 'bin/tsc'), '-p', join(folder, 'tsconfig.build.json')], {
  stdio: 'inherit',
})
