import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileKernel } from '../kernel/compile.mjs'

test('the kernel that is checked in is what its sources compile to', async () => {
  const checkedIn = readFileSync(join(import.meta.dirname, '../src/kernel-wasm.ts'), 'utf8')
  expect(await compileKernel()).toBe(checkedIn)
}, 60_000)
