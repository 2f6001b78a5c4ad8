import { expect, test } from 'vitest'
import { keepMember } from '../../src/merge/write-row-group.ts'

const footer = { schema: { leaves: [{}] }, chunkOffset: [4], chunkBytes: [6] }
const { RuntimeError } = (globalThis as unknown as { WebAssembly: { RuntimeError: new (text: string) => Error } })
  .WebAssembly

test.each<[string, () => boolean, boolean, boolean]>([
  ['keeps it', () => true, true, false],
  ['has no room for it', () => false, false, false],
  [
    'is out of memory',
    () => {
      throw new RuntimeError('unreachable')
    },
    false,
    true,
  ],
])('the bytes of a row group are released only if the kernel %s', (_, keep, isReleased, hasTrapped) => {
  const kernel = { keep, hasTrapped: false }
  const source = { name: 's', byteLength: 100, read: async () => new Uint8Array() }
  const member = { file: { source, held: () => new Uint8Array(6) }, footer, rowGroup: 0, carried: [] }
  const kept = keepMember(member as never, { kernel, signal: undefined } as never)
  expect(kept === (member as never)).toBe(!isReleased)
  expect(kernel.hasTrapped).toBe(hasTrapped)
})

test('a fault of ours is no trap', () => {
  const kernel = {
    keep: () => {
      throw new TypeError('a bug')
    },
  }
  const member = { file: { source: {}, held: () => new Uint8Array(6) }, footer, rowGroup: 0, carried: [] }
  expect(() => keepMember(member as never, { kernel, signal: undefined } as never)).toThrow('a bug')
})
