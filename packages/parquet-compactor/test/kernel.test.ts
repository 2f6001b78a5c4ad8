import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileKernel } from '../kernel/compile.mjs'

test('the kernel that is checked in is what its sources compile to', async () => {
  const { wasm, source } = await compileKernel()
  const checkedIn = (name: string) => readFileSync(join(import.meta.dirname, '../src/kernel', name))
  expect(Buffer.compare(wasm, checkedIn('kernel.wasm'))).toBe(0)
  expect(checkedIn('kernel-wasm.ts').toString()).toBe(source)
}, 60_000)
