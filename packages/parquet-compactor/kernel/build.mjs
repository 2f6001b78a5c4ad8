/** Writes src/splice/kernel.wasm and src/kernel-wasm.ts: node kernel/build.mjs */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileKernel } from './compile.mjs'

const { wasm, source } = await compileKernel()
writeFileSync(join(import.meta.dirname, '../src/splice/kernel.wasm'), wasm)
writeFileSync(join(import.meta.dirname, '../src/splice/kernel-wasm.ts'), source)
