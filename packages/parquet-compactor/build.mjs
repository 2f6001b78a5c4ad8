// Plain JavaScript with declarations into dist/, and beside it what is not TypeScript.
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const folder = import.meta.dirname
const dist = join(folder, 'dist')
const compiler = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, [join(compiler, 'bin/tsc'), '-p', join(folder, 'tsconfig.build.json')], {
  stdio: 'inherit',
})
cpSync(join(folder, 'src'), dist, {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || !path.endsWith('.ts'),
})
