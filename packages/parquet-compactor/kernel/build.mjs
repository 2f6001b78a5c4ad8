/** Writes src/kernel/kernel.wasm and src/kernel/kernel-wasm.ts: node kernel/build.mjs */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileKernel } from './compile.mjs'

const { wasm, source } = await compileKernel()
writeFileSync(join(import.meta.dirname, '../src/kernel/kernel.wasm'), wasm)
writeFileSync(join(import.meta.dirname, '../src/kernel/kernel-wasm.ts'), source)
