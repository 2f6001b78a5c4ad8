import { AN_OPERATOR } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { anObject, anOutput, DataSetUnderTest, LEASE_SECONDS } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// Rule 7: objects are deleted only by vacuum: no live row, no readable version, grace period over.

const database = await ownDatabase()
const { catalog } = database
const list = (dataset: DataSetUnderTest, version?: number) =>
  catalog.listFiles({ datasetId: dataset.id, requester: AN_OPERATOR, version, limit: 1000 })

const newDataSet = () => new DataSetUnderTest(catalog)
/** Ends the grace period of what is removed already. */
const endGracePeriod = (dataset: DataSetUnderTest) =>
  catalog.configureDataset(dataset.id, AN_OPERATOR, { retentionSeconds: 0 })

async function vacuum(): Promise<string[]> {
  await database.nextTick()
  return catalog.claimGarbage(1000)
}

const keysOf = async (dataset: DataSetUnderTest) =>
  (await database.query<{ r2_key: string }>('select distinct r2_key from files where dataset_id = $1', dataset.id)).map(
    (row) => row.r2_key,
  )

beforeEach(async () => {
  await catalog.completeGarbage(await vacuum())
})

describe('vacuum', () => {
  test('takes nothing before the grace period is over', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    await dataset.compact()
    expect(await vacuum()).toEqual([])
    expect(await dataset.files(1)).toHaveLength(2)
  })

  test('takes the inputs of a swap once it is over, and the versions that named them', async () => {
    const dataset = newDataSet()
    const object = anObject([{}, {}])
    await dataset.register(object)
    await dataset.compact()
    await endGracePeriod(dataset)
    const [before, fragment] = [await dataset.files(), (await dataset.files(1))[0]]
    expect(await vacuum()).toEqual([object.r2Key])
    expect(await list(dataset, 1)).toEqual({ outcome: 'version_gone' })
    expect(await list(dataset, 2)).toMatchObject({ outcome: 'ok', files: before })
    expect(await catalog.getFile(fragment!.id, AN_OPERATOR)).toBeNull()
    expect(await dataset.version()).toBe(2)
  })

  test('never takes a live object, however old', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    await endGracePeriod(dataset)
    const keys = await keysOf(dataset)
    expect(await vacuum()).toEqual([])
    expect(await keysOf(dataset)).toEqual(keys)
  })

  test('keeps an object of several slices until its last slice is gone', async () => {
    const dataset = newDataSet()
    const object = anObject([{ table: 'a' }, { table: 'b' }])
    await dataset.register(object)
    await endGracePeriod(dataset)
    await dataset.upload({ table: 'a' })
    await dataset.compact()
    expect(await vacuum()).not.toContain(object.r2Key)
    expect(await keysOf(dataset)).toContain(object.r2Key)
    await dataset.upload({ table: 'b' })
    await dataset.compact()
    expect(await vacuum()).toContain(object.r2Key)
    expect(await keysOf(dataset)).not.toContain(object.r2Key)
  })

  test('takes a compacted file in its turn', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    await dataset.compact({ r2Key: `datasets/${dataset.id}/merged/1` })
    await dataset.upload()
    await endGracePeriod(dataset)
    await dataset.compact()
    expect(await vacuum()).toContain(`datasets/${dataset.id}/merged/1`)
    expect(await dataset.rows()).toBe(30)
    expect((await dataset.jobs()).map((job) => job.progress.mergesCommitted)).toEqual([1, 1])
  })

  test('names the same keys until it is told that they are deleted', async () => {
    const dataset = newDataSet()
    const object = anObject([{}, {}])
    await dataset.register(object)
    await dataset.compact()
    await endGracePeriod(dataset)
    expect(await vacuum()).toEqual([object.r2Key])
    expect(await vacuum()).toEqual([object.r2Key])
    expect(await catalog.completeGarbage([object.r2Key])).toBe(1)
    expect(await catalog.completeGarbage([object.r2Key])).toBe(0)
    expect(await vacuum()).toEqual([])
  })

  test('comes to an end in small bites', async () => {
    const dataset = newDataSet()
    for (const _ of [1, 2, 3, 4, 5]) await dataset.upload()
    await dataset.compact()
    await endGracePeriod(dataset)
    await database.nextTick()
    const taken = new Set<string>()
    for (let bites = 0; bites < 5; bites++) {
      const keys = await catalog.claimGarbage(2)
      expect(keys.length).toBeLessThanOrEqual(2)
      for (const key of keys) taken.add(key)
      await catalog.completeGarbage(keys)
    }
    expect(taken.size).toBe(5)
    expect(await dataset.rows()).toBe(50)
  })

  test('takes the objects of refused uploads and refused swaps', async () => {
    const dataset = newDataSet()
    const first = anObject([{ content: 'the same' }])
    const again = anObject([{ content: 'the same' }])
    const theirs = anObject([{}])
    await dataset.register(first)
    await dataset.register(again)
    await dataset.register(theirs, '00000000-0000-4000-8000-000000000000')
    const attempt = await dataset.start()
    const late = anOutput(10)
    await dataset.finish(attempt)
    await catalog.commitMerge(attempt, 1, late, LEASE_SECONDS)
    expect((await vacuum()).sort()).toEqual([again.r2Key, theirs.r2Key, late.r2Key].sort())
  })
})

describe('a fragment that was merged', () => {
  test('is known as a duplicate until vacuum, then it is new', async () => {
    const dataset = newDataSet()
    const content = 'uploaded by a client that repeats everything'
    await dataset.register(anObject([{ content }]))
    await dataset.upload()
    await dataset.compact()
    const version = await dataset.version()
    expect(await dataset.register(anObject([{ content }]))).toMatchObject({
      outcome: 'duplicate',
      version,
      outbox: null,
    })
    expect(await dataset.rows()).toBe(20)
    await endGracePeriod(dataset)
    await vacuum()
    expect(await dataset.register(anObject([{ content }]))).toMatchObject({ outcome: 'stored', version: version + 1 })
  })

  test('whose duplicate was refused is not named again by a late repetition of that call', async () => {
    const dataset = newDataSet()
    const content = 'slow'
    await dataset.register(anObject([{ content }]))
    await dataset.upload()
    const again = anObject([{ content }])
    expect(await dataset.register(again)).toMatchObject({ outcome: 'duplicate' })
    await dataset.compact()
    await endGracePeriod(dataset)
    expect(await vacuum()).toContain(again.r2Key)
    await dataset.register(again)
    expect(await keysOf(dataset)).not.toContain(again.r2Key)
  })
})

describe('an orphan', () => {
  test('is an object that no file names; one that is named is left alone', async () => {
    const dataset = newDataSet()
    const object = anObject([{}, {}])
    await dataset.register(object)
    expect(await catalog.markKeysForDeletion([object.r2Key, 'lost/1', 'lost/2'])).toBe(2)
    expect(await catalog.markKeysForDeletion([object.r2Key, 'lost/1'])).toBe(0)
    expect((await vacuum()).sort()).toEqual(['lost/1', 'lost/2'])
  })

  test('is not an object that an older version still names', async () => {
    const dataset = newDataSet()
    const object = anObject([{}, {}])
    await dataset.register(object)
    await dataset.compact()
    expect(await catalog.markKeysForDeletion([object.r2Key])).toBe(0)
    expect(await vacuum()).toEqual([])
  })
})

describe('a dry run', () => {
  /** Every page of one reason, in pages of this size. */
  async function pages<Item>(
    read: (after: Record<string, string> | null) => Promise<{ items: Item[]; next: Record<string, string> | null }>,
  ): Promise<Item[]> {
    const items: Item[] = []
    for (let after: Record<string, string> | null = null; ; ) {
      const page = await read(after)
      items.push(...page.items)
      if (page.next === null) return items
      after = page.next
    }
  }
  const superseded = (limit: number) => pages((after) => catalog.previewSuperseded(after, limit))
  const refused = (limit: number) => pages((after) => catalog.previewRefused(after, limit))
  const everything = () =>
    Promise.all(
      ['files', 'datasets', 'garbage', 'multipart_uploads'].map((table) =>
        database.query(`select t.* from public.${table} t order by t::text`),
      ),
    )

  test('lists what vacuum then takes, with bytes, in pages of any size, and changes nothing', async () => {
    const kept = newDataSet()
    await kept.upload({}, {})
    await kept.compact()
    const dataset = newDataSet()
    const object = anObject([{ length: 100 }, { length: 200 }])
    await dataset.register(object)
    const again = anObject([{ content: 'twice' }])
    await dataset.register(anObject([{ content: 'twice' }]))
    await dataset.register(again)
    await dataset.compact()
    await endGracePeriod(dataset)
    await database.nextTick()

    const before = await everything()
    const listed = await superseded(100)
    expect(listed).toHaveLength(3)
    for (const item of listed) expect(item).toMatchObject({ datasetId: dataset.id, objectStays: false })
    expect(listed.map(({ bytes }) => bytes).sort()).toEqual([100, 1000, 200])
    expect(await superseded(1)).toEqual(listed)
    expect((await refused(1)).map(({ r2Key }) => r2Key)).toEqual([again.r2Key])
    expect(await everything()).toEqual(before)

    const taken = await vacuum()
    expect(taken.sort()).toEqual([...new Set([...listed.map(({ r2Key }) => r2Key), again.r2Key])].sort())
    expect(await superseded(100)).toEqual([])
  })

  test('says of a slice that its object stays for the others', async () => {
    const dataset = newDataSet()
    await dataset.register(anObject([{ table: 'a' }, { table: 'b' }]))
    await dataset.upload({ table: 'a' })
    await dataset.compact()
    await endGracePeriod(dataset)
    await database.nextTick()
    const mine = (await superseded(100)).filter(({ datasetId }) => datasetId === dataset.id)
    expect(mine.map(({ objectStays }) => objectStays).sort()).toEqual([false, true])
  })

  test('says that the object stays as long as another removed file of it is readable, and vacuum keeps it', async () => {
    const dataset = newDataSet()
    const object = anObject([{ table: 'a' }, { table: 'b' }])
    await dataset.register(object)
    await dataset.upload({ table: 'a' })
    await dataset.upload({ table: 'b' })
    await dataset.compact()
    const removed = (table: string, days: number) =>
      database.query(
        `update files set removed_at = now() - make_interval(days => ${days})
         where dataset_id = $1 and table_name = $2 and removed_at is not null and r2_key = $3`,
        dataset.id,
        table,
        object.r2Key,
      )
    await removed('a', 8)
    await removed('b', 6)
    const mine = async () =>
      (await superseded(100)).filter(({ r2Key }) => r2Key === object.r2Key).map(({ objectStays }) => objectStays)
    expect(await mine()).toEqual([true])
    await removed('b', 8)
    expect(await mine()).toEqual([false, false])
    await removed('b', 6)
    expect(await vacuum()).not.toContain(object.r2Key)
    await removed('b', 8)
    expect(await vacuum()).toContain(object.r2Key)
  })
})

test('a key that a file row names is not deleted, whatever is noted of it', async () => {
  const dataset = newDataSet()
  const object = anObject([{}])
  await dataset.register(object)
  await database.query('insert into garbage (r2_key) values ($1)', object.r2Key)
  expect(await vacuum()).not.toContain(object.r2Key)
  expect((await catalog.previewRefused(null, 100)).items.map(({ r2Key }) => r2Key)).not.toContain(object.r2Key)
  await database.query('delete from garbage where r2_key = $1', object.r2Key)
})

describe('an upload in parts', () => {
  const abandoned = async () => (await catalog.listAbandonedUploads(100)).map(({ r2Key }) => r2Key)
  const begin = async (dataset: DataSetUnderTest) => {
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    const output = anOutput(20)
    const upload = { r2Key: output.r2Key, uploadId: 'an upload' }
    expect(await catalog.openMultipart(attempt, upload)).toEqual({ outcome: 'ok' })
    return { attempt, output }
  }

  test('is abandoned once its attempt is over, and until it is closed', async () => {
    const dataset = newDataSet()
    const { attempt, output } = await begin(dataset)
    expect(await abandoned()).toEqual([])
    await dataset.fail(attempt)
    expect(await abandoned()).toEqual([output.r2Key])
    expect(await catalog.closeMultiparts([output.r2Key])).toBe(1)
    expect(await catalog.closeMultiparts([output.r2Key])).toBe(0)
    expect(await abandoned()).toEqual([])
    expect(await vacuum()).toEqual([output.r2Key])
  })

  test('is none any more when its merge is swapped in', async () => {
    const dataset = newDataSet()
    const { attempt, output } = await begin(dataset)
    await dataset.plan(attempt)
    expect((await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)).outcome).toBe('committed')
    await dataset.finish(attempt)
    expect(await abandoned()).toEqual([])
    expect(await vacuum()).toEqual([])
  })

  test('of a running attempt is given up after a day, and its key is not given to vacuum', async () => {
    const dataset = newDataSet()
    const { attempt, output } = await begin(dataset)
    await database.query("update multipart_uploads set created_at = now() - interval '25 hours'")
    expect(await abandoned()).toEqual([output.r2Key])
    await catalog.closeMultiparts([output.r2Key])
    await dataset.plan(attempt)
    expect((await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)).outcome).toBe('committed')
    expect(await vacuum()).toEqual([])
  })
})
