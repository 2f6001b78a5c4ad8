/** Writes src/kernel-wasm.ts: node kernel/build.mjs */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileKernel } from './compile.mjs'

writeFileSync(join(import.meta.dirname, '../src/kernel-wasm.ts'), await compileKernel())
