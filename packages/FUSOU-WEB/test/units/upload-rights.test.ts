import { asUser, type Catalog, type Requester } from '@fusou/catalog'
import { ParquetError } from '@fusou/parquet-compactor'
import { describe, expect, test, vi } from 'vitest'
import { refuseParquet } from '../../src/upload/refuse-parquet.ts'
import { UploadFields } from '../../src/upload/upload-fields.ts'
import { UploadRights } from '../../src/upload/upload-rights.ts'

const OWNER = '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f3'

describe('the right to upload to a dataset', () => {
  function rights(outcome = 'ok', isNew = false) {
    let now = 0
    const checkUpload = vi.fn(async (_datasetId: string, _requester: Requester) => ({ outcome, ownerId: OWNER, isNew }))
    const rights = new UploadRights({ checkUpload } as unknown as Catalog, () => now)
    return { rights, checkUpload, pass: (milliseconds: number) => (now += milliseconds) }
  }

  test('is asked for once in thirty seconds, of each user and dataset', async () => {
    const { rights: known, checkUpload, pass } = rights()
    expect(await known.check('d', asUser('u'))).toEqual({ ownerId: OWNER, isNew: false })
    pass(29_999)
    expect(await known.check('d', asUser('u'))).toEqual({ ownerId: OWNER, isNew: false })
    expect(checkUpload.mock.calls).toEqual([['d', asUser('u')]])
    pass(1)
    await known.check('d', asUser('u'))
    expect(checkUpload).toHaveBeenCalledTimes(2)
    await known.check('d', asUser('v'))
    await known.check('e', asUser('u'))
    expect(checkUpload.mock.calls.slice(2)).toEqual([
      ['d', asUser('v')],
      ['e', asUser('u')],
    ])
  })

  test('on an id that is free is asked for each time, since somebody may take it', async () => {
    const { rights: known, checkUpload } = rights('ok', true)
    for (let call = 0; call < 2; call++)
      expect(await known.check('d', asUser('u'))).toEqual({ ownerId: OWNER, isNew: true })
    expect(checkUpload).toHaveBeenCalledTimes(2)
  })

  test('of a key is not that of its user', async () => {
    const { rights: known, checkUpload } = rights()
    await known.check('d', asUser('u'))
    await known.check('d', { kind: 'key', id: 'k', user: 'u' })
    expect(checkUpload).toHaveBeenCalledTimes(2)
  })

  test('is refused as long as the database does, which is asked each time', async () => {
    const { rights: refused, checkUpload } = rights('unknown_dataset')
    for (let call = 0; call < 2; call++) {
      await expect(refused.check('d', asUser('u'))).rejects.toMatchObject({ code: 'unknown_dataset' })
    }
    expect(checkUpload).toHaveBeenCalledTimes(2)
  })

  test('is remembered for five thousand pairs, those that were asked for last', async () => {
    const { rights: known, checkUpload } = rights()
    for (let i = 0; i < 5000; i++) await known.check(`d${i}`, asUser('u'))
    await known.check('d0', asUser('u'))
    expect(checkUpload).toHaveBeenCalledTimes(5000)
    await known.check('d5000', asUser('u'))
    await known.check('d1', asUser('u'))
    expect(checkUpload).toHaveBeenCalledTimes(5001)
    await known.check('d0', asUser('u'))
    expect(checkUpload).toHaveBeenCalledTimes(5002)
  })
})

describe('a fault of a file', () => {
  const refused = (error: unknown) => refuseParquet('t', () => Promise.reject(error))

  test.each([
    ['not_parquet', 'invalid_parquet'],
    ['truncated', 'invalid_parquet'],
    ['bad_footer', 'invalid_parquet'],
    ['corrupt_data', 'invalid_parquet'],
    ['encrypted', 'unsupported_parquet'],
    ['unsupported_column', 'unsupported_parquet'],
    ['over_limit', 'unsupported_parquet'],
  ] as const)('%s is told as %s, with its table', async (code, told) => {
    await expect(refused(new ParquetError(code, 'so'))).rejects.toMatchObject({ code: told, detail: 't: so' })
  })

  test('of the storage is told without its text, and a fault of ours is not told at all', async () => {
    const detail = 'the footer could not be read back'
    await expect(refused(new ParquetError('read_failed', 'secret'))).rejects.toMatchObject({
      code: 'storage_unavailable',
      detail,
    })
    const bug = new ParquetError('bad_option', 'x')
    await expect(refused(bug)).rejects.toBe(bug)
    const other = new TypeError('x')
    await expect(refused(other)).rejects.toBe(other)
    expect(await refuseParquet('t', () => 7)).toBe(7)
  })
})

describe('what an upload says of itself', () => {
  const faults = (fields: object) =>
    UploadFields.safeParse({ datasetId: 'd', ...fields }).error?.issues.map(({ path }) => path.join('.')) ?? []
  const FILE = '0b9e3f0c-54e6-4c1c-a3fb-7a63e5a6c7f2'

  test('has defaults, and empty fields are none', () => {
    expect(UploadFields.parse({ datasetId: 'd', tableId: 't' })).toEqual({
      datasetId: 'd',
      tableId: 't',
      periodTag: '0',
    })
    expect(
      UploadFields.parse({ datasetId: 'd', tableId: 't', periodTag: '', tableOffsets: '', fileName: '', replaces: '' }),
    ).toMatchObject({ periodTag: '0' })
  })

  test.each([
    [{}, ['tableId']],
    [{ tableId: '' }, ['tableId']],
    [{ tableOffsets: '[]' }, []],
    [{ tableId: 't', replaces: FILE }, []],
    [{ tableOffsets: '[]', replaces: FILE }, ['replaces']],
    [{ tableId: 't', replaces: 'x' }, ['replaces']],
    [{ tableId: 't', fileName: 'a.parquet' }, []],
    [{ tableId: 't', fileName: 'a/b' }, ['fileName']],
    [{ tableId: 't', fileName: 'a\\b' }, ['fileName']],
    [{ tableId: 't', fileName: 'a\nb' }, ['fileName']],
    [{ tableId: 't', fileName: 'x'.repeat(255) }, []],
    [{ tableId: 't', fileName: 'x'.repeat(256) }, ['fileName']],
    [{ tableOffsets: 'x'.repeat(131_072) }, []],
    [{ tableOffsets: 'x'.repeat(131_073) }, ['tableOffsets']],
    [{ datasetId: '../d', tableId: 't' }, ['datasetId']],
  ] as [object, string[]][])('%j: at fault are %j', (fields, expected) => {
    expect(faults(fields)).toEqual(expected)
  })
})
