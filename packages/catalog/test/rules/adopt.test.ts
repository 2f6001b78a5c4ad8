import { randomUUID } from 'node:crypto'
import type { ScannedObject } from '@fusou/catalog'
import { AN_OPERATOR } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { anObject, anOutput, DataSetUnderTest, LEASE_SECONDS, sha256 } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// Adoption makes every row live exactly once: never twice, never lost, and what it cannot decide it keeps and names.

const database = await ownDatabase()
const { catalog } = database
const PLACE = { table: 'ships', periodTag: '0', offset: 0, known: false }
const FACTS = { length: 100, rowGroups: 1, fingerprint: 'schema-1' }

/** A bucket as a scan sees it, of one dataset. */
class Scan {
  readonly dataset = new DataSetUnderTest(catalog)
  #objects: ScannedObject[] = []

  /** An upload that only the bucket knows. */
  fragment(content: string, more: Partial<ScannedObject> = {}): ScannedObject {
    return this.#add({ ...FACTS, level: 0, rows: 10, sha256: sha256(content), ...more })
  }

  /** The output of a merge that only the bucket knows. */
  merged(contents: readonly string[], more: Partial<ScannedObject> = {}): ScannedObject {
    const leaves = contents.map(sha256)
    return this.#add({ ...FACTS, level: 1, rows: 10 * contents.length, sha256: sha256(randomUUID()), leaves, ...more })
  }

  /** A live merged file of the catalog, whose origin the scan has read. */
  known(r2Key: string, contents: readonly string[]): void {
    this.#add({ r2Key, level: 1, known: true, leaves: contents.map(sha256) })
  }

  #add(facts: Pick<ScannedObject, 'level'> & Partial<ScannedObject>): ScannedObject {
    const place = { ...PLACE, datasetId: this.dataset.id, ownerId: this.dataset.owner }
    const object = { ...place, r2Key: `datasets/${this.dataset.id}/${randomUUID()}`, ...facts }
    this.#objects.push(object)
    return object
  }

  /** Files of the catalog, each of these contents in an upload of its own. */
  async upload(...contents: string[]): Promise<void> {
    for (const content of contents) await this.dataset.store({ content })
  }

  /** The catalog merges all that it has into one file, whose key is returned. */
  async merge(contents: readonly string[]): Promise<string> {
    const { r2Key } = anOutput(0)
    await this.dataset.trigger()
    await this.dataset.compact({ r2Key })
    this.known(r2Key, contents)
    return r2Key
  }

  /** @param missing keys of live files whose object the bucket has lost */
  async run({ dryRun = false, missing = [] as string[], limit = 100 } = {}) {
    const { scan } = await catalog.beginAdoption()
    await database.query("update files set created_at = now() - interval '1 hour'")
    for (const key of missing) await catalog.beginAdoptionPage(scan, { after: key.slice(0, -1), last: key, keys: [] })
    expect(await catalog.noteAdoptionObjects(scan, this.#objects)).toEqual({ outcome: 'ok' })
    const judged = new Map<string, string>()
    const counts: Record<string, number> = {}
    for (;;) {
      const adopted = await catalog.adoptDataset(scan, { after: null, limit, dryRun })
      if (adopted.outcome !== 'ok') throw new Error(adopted.outcome)
      for (const { r2Key, judgment } of adopted.items) judged.set(r2Key, judgment)
      for (const [judgment, { objects }] of Object.entries(adopted.counts))
        counts[judgment] = (counts[judgment] ?? 0) + objects
      if (!adopted.more) return { judged, counts, missing: adopted.missing }
    }
  }

  /** Contents of the uploads whose rows are live, each as often as it is. */
  async liveKeys(): Promise<string[]> {
    const rows = await database.query<{ r2_key: string }>(
      'select r2_key from files where dataset_id = $1 and removed_version is null order by r2_key',
      this.dataset.id,
    )
    return rows.map((row) => row.r2_key)
  }
}

const keptReasons = async () =>
  new Map(
    (await database.query<{ r2_key: string; reason: string }>('select r2_key, reason from kept_objects')).map(
      ({ r2_key, reason }) => [r2_key, reason],
    ),
  )

let scan: Scan
beforeEach(() => {
  scan = new Scan()
})

describe('an upload that only the bucket knows', () => {
  test('gets its row, its dataset and its owner back', async () => {
    const { r2Key } = scan.fragment('a')
    expect(await scan.run()).toMatchObject({ counts: { adopt: 1 } })
    expect(await scan.liveKeys()).toEqual([r2Key])
    expect(await scan.dataset.rows()).toBe(10)
    expect(await scan.dataset.version()).toBe(1)
  })

  test('is a file of each of its slices', async () => {
    const { r2Key } = scan.fragment('a', { table: 'ships' })
    scan.fragment('b', { r2Key, table: 'ports', offset: 100 })
    await scan.run()
    expect((await scan.dataset.files()).map(({ table }) => table)).toEqual(['ports', 'ships'])
  })

  test('is adopted once, however often adoption runs', async () => {
    scan.fragment('a')
    await scan.run()
    const again = await scan.run()
    expect(again.counts).toEqual({})
    expect(await scan.dataset.rows()).toBe(10)
  })

  test('whose content is live in another upload is left alone', async () => {
    await scan.upload('a')
    scan.fragment('a')
    expect(await scan.run()).toMatchObject({ counts: { held: 1 } })
    expect(await scan.dataset.rows()).toBe(10)
  })

  test('whose rows are in a live merged file is left alone', async () => {
    await scan.upload('a', 'b')
    await scan.merge(['a', 'b'])
    scan.fragment('a')
    expect(await scan.run()).toMatchObject({ counts: { held: 1 } })
    expect(await scan.dataset.rows()).toBe(20)
  })

  test('takes the place of an object that a live file has lost', async () => {
    const object = anObject([{ content: 'a' }])
    await scan.dataset.register(object)
    const { r2Key } = scan.fragment('a')
    expect(await scan.run({ missing: [object.r2Key] })).toMatchObject({ counts: { heal: 1 } })
    expect(await scan.liveKeys()).toEqual([r2Key])
    expect(await scan.dataset.rows()).toBe(10)
  })

  test('of somebody else than the owner of the dataset is kept and named', async () => {
    await scan.upload('a')
    const { r2Key } = scan.fragment('b', { ownerId: randomUUID() })
    expect((await scan.run()).judged).toEqual(new Map([[r2Key, 'foreign_owner']]))
    expect((await keptReasons()).get(r2Key)).toBe('foreign_owner')
    expect(await scan.dataset.rows()).toBe(10)
  })

  test('that vacuum is about to delete is left to it', async () => {
    const { r2Key } = scan.fragment('a')
    await catalog.markKeysForDeletion([r2Key])
    expect(await scan.run()).toMatchObject({ counts: {} })
  })
})

describe('the output of a merge that only the bucket knows', () => {
  test('is adopted before the uploads whose rows it holds, and these are left alone', async () => {
    scan.fragment('a')
    scan.fragment('b')
    const { r2Key } = scan.merged(['a', 'b'])
    expect(await scan.run()).toMatchObject({ counts: { adopt: 1, held: 2 } })
    expect(await scan.liveKeys()).toEqual([r2Key])
    expect(await scan.dataset.files()).toMatchObject([{ level: 1, rows: 20 }])
  })

  test('leaves the contents of its uploads known: sent again they are duplicates, and vacuum takes them in time', async () => {
    const uploads = ['a', 'b'].map((content) => scan.fragment(content).r2Key)
    scan.merged(['a', 'b'])
    await scan.run()
    for (const content of ['a', 'b'])
      expect(await scan.dataset.register(anObject([{ content }]))).toMatchObject({ outcome: 'duplicate' })
    expect(await scan.dataset.rows()).toBe(20)
    for (const version of [0, 1]) {
      const listed = await catalog.listFiles({ datasetId: scan.dataset.id, requester: AN_OPERATOR, version, limit: 10 })
      const files = listed.outcome === 'ok' ? listed.files : []
      expect(files.filter(({ level }) => level === 0)).toEqual([])
    }
    await catalog.configureDataset(scan.dataset.id, AN_OPERATOR, { retentionSeconds: 0 })
    expect(await catalog.claimGarbage(1000)).toEqual(expect.arrayContaining(uploads))
  })

  test('is left alone while all that it was merged from is live', async () => {
    await scan.upload('a', 'b')
    scan.merged(['a', 'b'])
    expect(await scan.run()).toMatchObject({ counts: { held: 1 } })
    expect(await scan.dataset.rows()).toBe(20)
  })

  test('replaces the live files that it holds whole, as the lost merge did', async () => {
    await scan.upload('a', 'b')
    const { r2Key } = scan.merged(['a', 'b', 'c'])
    expect(await scan.run()).toMatchObject({ counts: { adopt: 1 } })
    expect(await scan.liveKeys()).toEqual([r2Key])
    expect(await scan.dataset.rows()).toBe(30)
    expect(await scan.dataset.rows(2)).toBe(20)
  })

  test('takes the place of live files whose objects are gone', async () => {
    const objects = ['a', 'b'].map((content) => anObject([{ content }]))
    for (const object of objects) await scan.dataset.register(object)
    const { r2Key } = scan.merged(['a', 'b'])
    expect(await scan.run({ missing: objects.map((object) => object.r2Key) })).toMatchObject({
      counts: { adopt: 1 },
      missing: 0,
    })
    expect(await scan.liveKeys()).toEqual([r2Key])
    const { id: datasetId } = scan.dataset
    const past = await catalog.listFiles({ datasetId, requester: AN_OPERATOR, version: 2, limit: 10 })
    expect(past, 'a version without its bytes is gone').toEqual({ outcome: 'version_gone' })
  })

  test('takes the place of a merged file that it replaced, whose object and origin are gone', async () => {
    await scan.upload('a', 'b')
    const gone = anOutput(0).r2Key
    await scan.dataset.trigger()
    await scan.dataset.compact({ r2Key: gone })
    const { r2Key } = scan.merged(['a', 'b', 'c'], { level: 2, ancestors: [gone] })
    expect(await scan.run({ missing: [gone] })).toMatchObject({ counts: { adopt: 1 } })
    expect(await scan.liveKeys()).toEqual([r2Key])
  })

  test('is adopted in its largest form only, of all the tries and tiers that the bucket has', async () => {
    for (const content of ['a', 'b', 'c', 'd']) scan.fragment(content)
    scan.merged(['a', 'b'])
    scan.merged(['a', 'b'])
    scan.merged(['c', 'd'])
    const { r2Key } = scan.merged(['a', 'b', 'c', 'd'], { level: 2 })
    expect(await scan.run()).toMatchObject({ counts: { adopt: 1, held: 7 } })
    expect(await scan.liveKeys()).toEqual([r2Key])
  })

  test('that holds an upload whose deletion can be restored is kept; what it holds beside it comes from its own uploads', async () => {
    await scan.upload('a')
    const { id } = scan.dataset
    const deleted = await catalog.deleteData(id, AN_OPERATOR)
    if (deleted.outcome !== 'deleted' || deleted.deletion === null) throw new Error('nothing was deleted')
    const merged = scan.merged(['a', 'b'])
    const upload = scan.fragment('b')
    expect((await scan.run()).judged).toEqual(
      new Map([
        [upload.r2Key, 'adopt'],
        [merged.r2Key, 'entangled'],
      ]),
    )
    await catalog.restoreDeletion(id, AN_OPERATOR, deleted.deletion.id)
    expect(await scan.dataset.rows()).toBe(20)
    expect(await scan.liveKeys(), 'never both').not.toContain(merged.r2Key)
  })

  test('that shares rows with a live file of other rows too is kept; what it holds beside them comes from its own uploads', async () => {
    await scan.upload('a', 'b')
    const live = await scan.merge(['a', 'b'])
    const merged = scan.merged(['b', 'c', 'd'])
    const upload = scan.fragment('c')
    const { judged } = await scan.run()
    expect(judged).toEqual(
      new Map([
        [upload.r2Key, 'adopt'],
        [merged.r2Key, 'entangled'],
      ]),
    )
    expect((await keptReasons()).get(merged.r2Key)).toBe('entangled')
    expect(await scan.liveKeys()).toEqual([live, upload.r2Key].sort())
  })

  test('cannot be judged as long as the origin of a live merged file is not known', async () => {
    await scan.upload('a', 'b')
    await scan.dataset.trigger()
    await scan.dataset.compact()
    const { r2Key } = scan.merged(['c', 'd'])
    expect((await scan.run()).judged).toEqual(new Map([[r2Key, 'unclear']]))
    expect(await scan.dataset.rows()).toBe(20)
    expect((await keptReasons()).get(r2Key)).toBe('unclear')
  })

  test('of another partition is no obstacle', async () => {
    await scan.upload('a', 'b')
    await scan.dataset.trigger()
    await scan.dataset.compact()
    scan.merged(['c', 'd'], { periodTag: '2026-11' })
    expect(await scan.run()).toMatchObject({ counts: { adopt: 1 } })
    expect(await scan.dataset.rows()).toBe(40)
  })
})

test('a live file whose object is gone, and nothing holds its rows, is counted', async () => {
  const object = anObject([{ content: 'a' }])
  await scan.dataset.register(object)
  expect(await scan.run({ missing: [object.r2Key] })).toMatchObject({ counts: {}, missing: 1 })
  expect(await scan.dataset.rows()).toBe(10)
})

test('an object that is at fault itself is kept and named, and the others are adopted', async () => {
  const { r2Key } = scan.fragment('a', { fault: 'not_parquet' })
  scan.fragment('b')
  expect((await scan.run()).counts).toEqual({ adopt: 1, not_parquet: 1 })
  expect((await keptReasons()).get(r2Key)).toBe('not_parquet')
})

test('a dry run tells what a run then does, and changes nothing', async () => {
  await scan.upload('a')
  scan.merged(['a', 'b'])
  scan.fragment('b')
  const fragment = scan.fragment('c')
  const before = await database.query('select * from files order by id')
  const told = await scan.run({ dryRun: true })
  await database.query("update files set created_at = now() - interval '1 hour'")
  expect((await database.query('select * from files order by id')).length).toBe(before.length)
  expect(await scan.dataset.rows()).toBe(10)
  expect((await keptReasons()).get(fragment.r2Key)).toBeUndefined()
  const done = await scan.run()
  expect(done.counts).toEqual(told.counts)
  expect(done.judged).toEqual(told.judged)
  expect(await scan.dataset.rows()).toBe(30)
})

test('a large dataset is adopted in bites', async () => {
  for (let index = 0; index < 7; index++) scan.fragment(`content ${index}`)
  expect((await scan.run({ limit: 3 })).counts).toEqual({ adopt: 7 })
  expect(await scan.dataset.rows()).toBe(70)
})

test('the owner of a dataset that the catalog has lost is the one that its merges name', async () => {
  const thief = randomUUID()
  for (const content of ['x', 'y', 'z']) scan.fragment(content, { ownerId: thief })
  scan.merged(['a', 'b'])
  expect((await scan.run()).counts).toEqual({ adopt: 1, foreign_owner: 3 })
  expect(await scan.dataset.rows()).toBe(20)
})

test('the owner of a dataset that the catalog has lost is the one that the bucket names, before all others', async () => {
  const racer = randomUUID()
  const datasetOwner = scan.dataset.owner
  for (const content of ['x', 'y', 'z']) scan.fragment(content, { ownerId: racer, datasetOwner })
  scan.merged(['v', 'w'], { ownerId: racer, datasetOwner })
  scan.fragment('a', { datasetOwner })
  expect((await scan.run()).counts).toEqual({ adopt: 1, foreign_owner: 4 })
  expect(await scan.dataset.rows()).toBe(10)
})

test('a merge that was planned with a file that adoption replaced is refused, and nothing is lost', async () => {
  await scan.upload('a', 'b')
  await scan.dataset.trigger()
  const attempt = await scan.dataset.start()
  await scan.dataset.plan(attempt)
  scan.merged(['a', 'b', 'c'])
  await scan.run()
  expect((await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)).outcome).toBe('conflict')
  expect(await scan.dataset.rows()).toBe(30)
})

test('a file that came while the scan was under way is not taken for one that lost its object', async () => {
  const { scan: id } = await catalog.beginAdoption()
  const object = anObject([{ content: 'new' }])
  await scan.dataset.register(object)
  await catalog.beginAdoptionPage(id, { after: object.r2Key.slice(0, -1), last: object.r2Key, keys: [] })
  expect(await database.query('select * from adoption_missing')).toEqual([])
})

test('an older scan is refused once another has begun', async () => {
  const { scan: older } = await catalog.beginAdoption()
  await catalog.beginAdoption()
  const page = { after: null, last: null, keys: [] }
  expect(await catalog.beginAdoptionPage(older, page)).toEqual({ outcome: 'unknown_scan' })
  expect(await catalog.noteAdoptionObjects(older, [])).toEqual({ outcome: 'unknown_scan' })
  const rest = { after: null, limit: 1, dryRun: false }
  expect(await catalog.adoptDataset(older, rest)).toEqual({ outcome: 'unknown_scan' })
})
