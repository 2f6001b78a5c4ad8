import type { Catalog } from '@fusou/catalog'
import { expect, test } from 'vitest'
import { UploadRights } from '../src/upload/upload-rights.ts'

/** A catalog in which one user owns everything, and a count of what it was asked. */
function ownedBy(owner: string) {
  const asked: string[] = []
  const checkUpload = async (datasetId: string, userId: string) => {
    asked.push(datasetId)
    return { outcome: userId === owner ? 'ok' : 'unknown_dataset' } as const
  }
  return { asked, catalog: { checkUpload } as unknown as Catalog }
}

test('a right is asked for once in half a minute, for each user and dataset', async () => {
  const { asked, catalog } = ownedBy('me')
  let now = 0
  const rights = new UploadRights(catalog, () => now)
  await rights.check('a', 'me')
  now = 29_999
  await rights.check('a', 'me')
  await rights.check('b', 'me')
  expect(asked).toEqual(['a', 'b'])
  now = 30_000
  await rights.check('a', 'me')
  expect(asked).toEqual(['a', 'b', 'a'])
})

test('a refusal is asked for each time, and the right of one is not that of another', async () => {
  const { asked, catalog } = ownedBy('me')
  const rights = new UploadRights(catalog, () => 0)
  await rights.check('a', 'me')
  for (let count = 0; count < 2; count++)
    await expect(rights.check('a', 'you')).rejects.toMatchObject({ code: 'unknown_dataset' })
  expect(asked).toEqual(['a', 'a', 'a'])
})

test('no more than 5000 rights are remembered, the newest', async () => {
  const { asked, catalog } = ownedBy('me')
  const rights = new UploadRights(catalog, () => 0)
  for (let count = 0; count <= 5000; count++) await rights.check(`data-${count}`, 'me')
  asked.length = 0
  await rights.check('data-1', 'me')
  await rights.check('data-5000', 'me')
  expect(asked).toEqual([])
  await rights.check('data-0', 'me')
  expect(asked).toEqual(['data-0'])
})
