import { createHash } from 'node:crypto'
import asc from 'assemblyscript/asc'

const OPTIONS = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--enable',
  'bulk-memory',
  '--use',
  'abort=',
]

/**
 * Compile the kernel.
 * @returns the module, and the source text of src/kernel/kernel-wasm.ts, which holds it as base64
 */
export async function compileKernel() {
  let wasm
  const { error, stderr } = await asc.main(
    ['kernel.ts', ...OPTIONS, '--baseDir', import.meta.dirname, '--outFile', 'kernel.wasm'],
    {
      writeFile: (_name, contents) => {
        wasm = contents
      },
    },
  )
  if (error) throw new Error(stderr.toString(), { cause: error })
  const lines = Buffer.from(wasm)
    .toString('base64')
    .match(/.{1,100}/g)
  const source = [
    '// Compiled from kernel/*.ts by `npm run build:kernel`; a test compiles it again and compares.',
    'export const KERNEL_WASM_BASE64 =',
    lines.map((line) => `  '${line}'`).join(' +\n'),
    '',
    '/** first digits of the SHA-256 of the module */',
    `export const KERNEL_BUILD = '${createHash('sha256').update(wasm).digest('hex').slice(0, 16)}'`,
    '',
  ].join('\n')
  return { wasm, source }
}
