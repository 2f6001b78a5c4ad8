import {
  claimDatasetOwner,
  FusouError,
  isObjectFault,
  R2Source,
  readDatasetOwner,
  writeDatasetOwner,
} from '@fusou/catalog'
import { describe, expect, test } from 'vitest'

const OWNER = '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f2'
const OTHER = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'
const KEY = '.fusou/owners/d.json'

describe('a file of the catalog', () => {
  const BYTES = Uint8Array.from({ length: 30 }, (_, i) => i)
  const stored = { id: 'f', r2Key: 'k', offset: 10, length: 15 }

  /** The bytes of an object of a size, or no object; the bucket refuses ranges where it is told to. */
  function source(size: number | null, refuses = false) {
    const refused = new Error('10039')
    const bucket = {
      get: async (key: string, { range }: { range: { offset: number; length: number } }) => {
        expect(key).toBe('k')
        if (refuses) throw refused
        if (size === null) return null
        return { size, arrayBuffer: async () => BYTES.slice(range.offset, range.offset + range.length).buffer }
      },
      head: async (key: string) => {
        expect(key).toBe('k')
        return size === null ? null : { size }
      },
    }
    return { source: new R2Source(bucket, stored), refused }
  }

  test('is read by ranges of its object', async () => {
    const { source: file } = source(25)
    expect([file.name, file.byteLength]).toEqual(['f', 15])
    expect(await file.read(2, 4)).toEqual(BYTES.slice(12, 16))
  })

  test.each([false, true])(
    'is corrupt where the object ends before it does; ranges are refused: %s',
    async (refuses) => {
      const { source: file } = source(24, refuses)
      await expect(file.read(0, 1)).rejects.toMatchObject({
        code: 'corrupt_file',
        detail: 'file f: object k is 24 bytes long, too short',
      })
    },
  )

  test.each([false, true])('is missing where the object is; ranges are refused: %s', async (refuses) => {
    const detail = 'file f: no object k in the bucket'
    await expect(source(null, refuses).source.read(0, 1)).rejects.toMatchObject({ code: 'object_missing', detail })
  })

  test('is not to blame where the bucket refuses to read an object that is long enough', async () => {
    const { source: file, refused } = source(25, true)
    await expect(file.read(0, 1)).rejects.toBe(refused)
  })

  test.each([
    [new FusouError('object_missing', 'x'), true],
    [new FusouError('corrupt_file', 'x'), true],
    [new FusouError('storage_unavailable', 'x'), false],
    [Object.assign(new Error('x'), { code: 'corrupt_file' }), false],
    [undefined, false],
  ])('is at fault by %s: %s', (error, isFault) => {
    expect(isObjectFault(error)).toBe(isFault)
  })
})

describe('the owner of a dataset in the bucket', () => {
  function fakeBucket(text: string | null, written = true) {
    const puts: { key: string; value: string; options: { onlyIf?: Headers; httpMetadata: unknown } }[] = []
    const bucket = {
      get: async (key: string) => {
        expect(key).toBe(KEY)
        return text === null ? null : { text: async () => text }
      },
      put: async (key: string, value: string, options: object) => {
        puts.push({ key, value, options: options as never })
        return written ? {} : null
      },
    }
    return { bucket, puts }
  }
  const claim = { owner: OWNER, earlierOwners: [] }
  const earlier = { owner: OTHER, earlierOwners: [OWNER] }
  const httpMetadata = { contentType: 'application/json' }

  test('is claimed unless the bucket names one already', async () => {
    const { bucket, puts } = fakeBucket(JSON.stringify(earlier))
    expect(await claimDatasetOwner(bucket, 'd', OWNER)).toEqual(claim)
    expect(puts).toMatchObject([{ key: KEY, value: JSON.stringify(claim), options: { httpMetadata } }])
    expect(puts[0]!.options.onlyIf?.get('if-none-match')).toBe('*')
  })

  test('stays who it was, and is the claimant where what the bucket has cannot be read', async () => {
    expect(await claimDatasetOwner(fakeBucket(JSON.stringify(earlier), false).bucket, 'd', OWNER)).toEqual(earlier)
    expect(await claimDatasetOwner(fakeBucket('{', false).bucket, 'd', OWNER)).toEqual(claim)
    expect(await claimDatasetOwner(fakeBucket(null, false).bucket, 'd', OWNER)).toEqual(claim)
  })

  test('is written over when the dataset is handed over', async () => {
    const { bucket, puts } = fakeBucket(null)
    await writeDatasetOwner(bucket, 'd', earlier)
    expect(puts).toEqual([{ key: KEY, value: JSON.stringify(earlier), options: { httpMetadata } }])
  })

  const padded = (length: number) => JSON.stringify(claim).padEnd(length)
  const owners = (count: number) => ({ owner: OWNER, earlierOwners: Array.from({ length: count }, () => OTHER) })
  test.each([
    [null, undefined],
    ['', undefined],
    ['{}', undefined],
    [JSON.stringify({ owner: 'x' }), undefined],
    [JSON.stringify({ owner: OWNER }), claim],
    [JSON.stringify({ owner: OWNER, earlierOwners: ['x'] }), undefined],
    [JSON.stringify(owners(1000)), owners(1000)],
    [JSON.stringify(owners(1001)), undefined],
    [padded(65_536), claim],
    [padded(65_537), undefined],
  ])('case %#: is read in the form that this system writes', async (text, owner) => {
    expect(await readDatasetOwner(fakeBucket(text).bucket, 'd')).toEqual(owner)
  })
})
