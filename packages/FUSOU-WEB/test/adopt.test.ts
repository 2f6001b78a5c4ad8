import { AN_OPERATOR, asUser, factsKey, uploadKey } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { scanBucket } from '../src/adopt/scan-bucket.ts'
import { bindings, catalog, expectProblem, json, newDataset, OPERATOR, post, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY, joinBytes, LONG_FOOTER, sha256 } from './support/files.ts'
import { newUser } from './support/tokens.ts'

const user = await newUser()
const { BUCKET } = bindings

/** The bucket as if nothing but this dataset lay in it, in pages of this size. */
function only(datasetId: string, pageKeys = 1000): R2Bucket {
  const list = (options: R2ListOptions) =>
    BUCKET.list({ ...options, prefix: `datasets/${datasetId}/`, limit: Math.min(pageKeys, options.limit ?? 1000) })
  return new Proxy(BUCKET, {
    get(target, name: keyof R2Bucket) {
      const method = name === 'list' ? list : target[name]
      return typeof method === 'function' ? (method as (...args: never[]) => unknown).bind(target) : method
    },
  })
}

/** @param listedAs the dataset under which its objects are judged */
async function adoptOnly(datasetId: string, pageKeys?: number, listedAs = datasetId) {
  const { scan } = await catalog.beginAdoption()
  let last: string | null = null
  let pages = 0
  do {
    pages += 1
    last = (await scanBucket(only(datasetId, pageKeys), catalog, scan, last)).last
  } while (last !== null)
  // The files of all other datasets seem to be missing, so theirs would come first.
  const after = listedAs.slice(0, -1)
  const adopted = await catalog.adoptDataset(scan, { after, limit: 100, dryRun: false })
  return { pages, ...adopted }
}

/** An upload of another dataset, as it would lie in the bucket if the catalog had forgotten this one. */
async function forgottenUpload(bytes: Uint8Array<ArrayBuffer>, query: Record<string, string>): Promise<string> {
  const source = newDataset()
  const datasetId = newDataset()
  expect((await upload(user, bytes, { datasetId: source, ...query })).status).toBe(202)
  const { objects } = await BUCKET.list({ prefix: `datasets/${source}/`, include: ['customMetadata'] })
  for (const { key, customMetadata } of objects) {
    const body = await (await BUCKET.get(key))!.arrayBuffer()
    const metadata = { ...customMetadata, ...(customMetadata?.dataset && { dataset: datasetId }) }
    await BUCKET.put(key.replace(source, datasetId), body, { customMetadata: metadata })
  }
  return datasetId
}

const filesOf = async (datasetId: string) => {
  const listed = await catalog.listFiles({ datasetId, requester: asUser(user.id), limit: 1000 })
  return listed.outcome === 'ok' ? listed.files : []
}

async function putMerged(datasetId: string, bytes: Uint8Array, leaves: [string, number][], metadata = {}) {
  const key = `datasets/${datasetId}/merged/${crypto.randomUUID()}.parquet`
  await BUCKET.put(factsKey(key), JSON.stringify({ leaves, ancestors: [] }))
  await BUCKET.put(key, bytes, {
    customMetadata: {
      dataset: datasetId,
      owner: user.id,
      table: 't',
      period: '0',
      tier: '1',
      job: crypto.randomUUID(),
      fingerprint: 'a lie',
      ...metadata,
    },
  })
  return key
}

describe('an upload that the catalog has forgotten', () => {
  test('is a file again, of its owner, with what its bytes say', async () => {
    const datasetId = await forgottenUpload(FLIGHTS, { tableId: 'flights', periodTag: '2026-11' })
    expect(await adoptOnly(datasetId)).toMatchObject({
      outcome: 'ok',
      datasetId,
      counts: { adopt: { objects: 1, rows: 3 } },
    })
    expect(await filesOf(datasetId)).toMatchObject([
      {
        table: 'flights',
        periodTag: '2026-11',
        rows: 3,
        bytes: FLIGHTS.length,
        sha256: await sha256(FLIGHTS),
        level: 0,
      },
    ])
    expect(await adoptOnly(datasetId)).not.toMatchObject({ datasetId })
  })

  test('has all of its tables again, also one with a footer that no window holds', async () => {
    const parts = { flights: FLIGHTS, empty: FLIGHTS_EMPTY, long: LONG_FOOTER, carriers: CARRIERS }
    let start = 0
    const offsets = Object.entries(parts).map(([table_name, bytes]) => {
      start += bytes.length
      return { table_name, start_byte: start - bytes.length, byte_length: bytes.length }
    })
    const tableOffsets = JSON.stringify(offsets)
    const datasetId = await forgottenUpload(joinBytes(...Object.values(parts)), { tableOffsets })
    await adoptOnly(datasetId)
    const files = await filesOf(datasetId)
    expect(files.map(({ table, rows }) => [table, rows])).toEqual([
      ['carriers', 2],
      ['empty', 0],
      ['flights', 3],
      ['long', 5],
    ])
    const bytes = await BUCKET.get((await catalog.getFile(files[0]!.id, AN_OPERATOR))!.r2Key)
    expect(bytes).not.toBeNull()
  })

  test('is told from its metadata only where it belongs: what it says of its rows is not believed', async () => {
    const datasetId = newDataset()
    const customMetadata = {
      dataset: datasetId,
      owner: user.id,
      period: '0',
      tier: '0',
      slices: JSON.stringify([['t', FLIGHTS.length]]),
      rows: '999',
      sha256: '0'.repeat(64),
    }
    await BUCKET.put(uploadKey(datasetId), FLIGHTS, { customMetadata })
    await adoptOnly(datasetId)
    expect(await filesOf(datasetId)).toMatchObject([{ rows: 3, sha256: await sha256(FLIGHTS) }])
  })

  test('is found page by page', async () => {
    const datasetId = await forgottenUpload(FLIGHTS, { tableId: 'a' })
    const others = await forgottenUpload(CARRIERS, { tableId: 'b' })
    const { objects } = await BUCKET.list({ prefix: `datasets/${others}/`, include: ['customMetadata'] })
    const body = await (await BUCKET.get(objects[0]!.key))!.arrayBuffer()
    for (const table of ['b', 'c', 'd']) {
      const slices = JSON.stringify([[table, body.byteLength]])
      await BUCKET.put(uploadKey(datasetId), body, {
        customMetadata: { ...objects[0]!.customMetadata, dataset: datasetId, slices },
      })
    }
    const adopted = await adoptOnly(datasetId, 1)
    expect(adopted).toMatchObject({ pages: 4, counts: { adopt: { objects: 4 } } })
  })
})

describe('the output of a merge that the catalog has forgotten', () => {
  test('is a merged file again', async () => {
    const datasetId = newDataset()
    const leaves: [string, number][] = [
      ['a'.repeat(64), 1],
      ['b'.repeat(64), 2],
    ]
    await putMerged(datasetId, FLIGHTS, leaves)
    await adoptOnly(datasetId)
    expect(await filesOf(datasetId)).toMatchObject([{ table: 't', level: 1, rows: 3, sha256: await sha256(FLIGHTS) }])
  })

  test.each([
    ['no sidecar', async (key: string) => BUCKET.delete(factsKey(key)), 'no_lineage'],
    ['a sidecar that does not parse', async (key: string) => BUCKET.put(factsKey(key), '{'), 'no_lineage'],
    [
      'a sidecar of other rows',
      async (key: string) =>
        BUCKET.put(factsKey(key), JSON.stringify({ leaves: [['a'.repeat(64), 4]], ancestors: [] })),
      'lineage_mismatch',
    ],
    [
      'bytes that are not Parquet',
      async (key: string) =>
        BUCKET.put(key, 'broken', { customMetadata: (await BUCKET.head(key))!.customMetadata ?? {} }),
      'not_parquet',
    ],
    ['no metadata', async (key: string) => BUCKET.put(key, FLIGHTS), 'no_metadata'],
  ])('with %s is left alone and named', async (_what, spoil, judgment) => {
    const datasetId = newDataset()
    const key = await putMerged(datasetId, FLIGHTS, [['a'.repeat(64), 3]])
    await spoil(key)
    // an object that does not say where it belongs
    const listedAs = judgment === 'no_metadata' ? 'unknown' : datasetId
    expect(await adoptOnly(datasetId, undefined, listedAs)).toMatchObject({
      counts: { [judgment]: { objects: 1 } },
      items: [{ r2Key: key, judgment }],
    })
    expect(await filesOf(datasetId)).toEqual([])
    expect(await BUCKET.head(key)).not.toBeNull()
  })
})

describe('the call', () => {
  interface Answer {
    scanned?: { objects: number; unnamed: number }
    dataset?: { datasetId: string; counts: Record<string, { objects: number }> }
    nextCursor: string | null
  }
  const call = (body: object) =>
    json<Answer>('/api/adopt', {
      token: OPERATOR.token,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  test('scans, then tells of each dataset what would be done; a dry run does nothing of it', async () => {
    const datasetId = await forgottenUpload(FLIGHTS, { tableId: 't' })
    const answers: Answer[] = []
    let cursor: string | null | undefined
    do {
      const answer: Answer = await call({ dryRun: true, ...(cursor && { cursor }) })
      answers.push(answer)
      cursor = answer.nextCursor
    } while (cursor !== null)
    expect(answers[0]!.scanned!.objects).toBeGreaterThan(0)
    const mine = answers.filter(({ dataset }) => dataset?.datasetId === datasetId)
    expect(mine).toMatchObject([{ dataset: { counts: { adopt: { objects: 1, rows: 3 } } } }])
    expect(await filesOf(datasetId)).toEqual([])
  }, 180_000)

  test('goes on only with the newest scan', async () => {
    const { nextCursor } = await call({ dryRun: true })
    await call({ dryRun: true })
    const cursor = nextCursor
    await expectProblem(post('/api/adopt', { dryRun: true, cursor }, OPERATOR), 'unknown_scan')
  })

  test('is for operators, and takes its own cursors only', async () => {
    await expectProblem(post('/api/adopt', {}, user), 'forbidden')
    for (const wrong of [{ cursor: 'e30' }, { dryRun: 'yes' }, { dryrun: true }])
      await expectProblem(post('/api/adopt', wrong, OPERATOR), 'invalid_request')
  })
})
