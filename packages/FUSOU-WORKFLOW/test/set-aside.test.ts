import { introspectWorkflowInstance } from 'cloudflare:test'
import { AN_OPERATOR, R2Source } from '@fusou/catalog'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { instanceId, startAttempt } from '../src/workflow/start-attempt.ts'
import { fragment, liveFiles, liveIds, newDatasetId, newUserId, range, upload, uploadAndAsk } from './fragments.ts'
import { catalog, env, POLL } from './test-env.ts'

const LEASE_SECONDS = 60
/** A bound for a machine under load, not an expectation. */
const LOADED_MACHINE_MS = 240_000
const user = newUserId()

type Damage = (r2Key: string, bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>

const put = (r2Key: string, bytes: Uint8Array<ArrayBuffer>) => env.BUCKET.put(r2Key, bytes)
/** What may become of an object behind our back, and the code that tells of it. */
const DAMAGES: Record<string, { code: string; damage: Damage }> = {
  'pages overwritten': { code: 'corrupt_file', damage: (key, bytes) => put(key, bytes.fill(0xff, 4, 40)) },
  'cut off': { code: 'corrupt_file', damage: (key, bytes) => put(key, bytes.slice(0, -30)) },
  'footer overwritten': {
    code: 'corrupt_file',
    damage: (key, bytes) => put(key, bytes.fill(0, bytes.length - 60, bytes.length - 8)),
  },
  deleted: { code: 'object_missing', damage: (key) => env.BUCKET.delete(key) },
  'replaced by text': { code: 'corrupt_file', damage: (key, bytes) => put(key, bytes.fill(0x20)) },
}

async function claim(datasetId: string, jobId: string) {
  const accepted = await catalog.acceptMessage('m', { datasetId, jobId, priority: 'realtime' }, LEASE_SECONDS)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  return { jobId, attempt: accepted.attempt }
}

async function runToEnd(params: { jobId: string; attempt: number }) {
  await using instance = await introspectWorkflowInstance(env.DATA_COMPACTION_WORKFLOW, instanceId(params))
  await instance.modify(async (m) => m.disableRetryDelays())
  await startAttempt(env, params)
  await instance.waitForStatus('complete')
}

/** One fragment of five rows an upload; the job is claimed. */
async function fragments(count: number, table = 't') {
  const datasetId = newDatasetId()
  const keys: string[] = []
  for (let place = 0; place < count - 1; place++) {
    keys.push((await upload(datasetId, user, [{ table, bytes: fragment(place * 5, 5) }])).r2Key)
  }
  const last = await uploadAndAsk(datasetId, user, [{ table, bytes: fragment((count - 1) * 5, 5) }])
  return { datasetId, keys: [...keys, last.r2Key], params: await claim(datasetId, last.jobId) }
}

const fileIdOf = async (datasetId: string, r2Key: string) => {
  for (const { id } of await liveFiles(datasetId))
    if ((await catalog.getFile(id, AN_OPERATOR))!.r2Key === r2Key) return id
  throw new Error(`no file in ${r2Key}`)
}

describe('a merge with inputs that cannot be read', () => {
  test('of which half are damaged, in all ways, sets each aside by name and merges the rest in one attempt', {
    timeout: LOADED_MACHINE_MS,
  }, async () => {
    const { datasetId, keys, params } = await fragments(20)
    const damages = Object.values(DAMAGES)
    const expected = new Map<string, string>()
    for (let place = 0; place < 20; place += 2) {
      const { code, damage } = damages[(place / 2) % damages.length]!
      const key = keys[place]!
      expected.set(await fileIdOf(datasetId, key), code)
      await damage(key, new Uint8Array(await (await env.BUCKET.get(key))!.arrayBuffer()))
    }
    const lines: { event: string; fileId: string }[] = []
    const logged = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(JSON.parse(line)))
    await runToEnd(params)
    logged.mockRestore()

    const job = (await catalog.getJob(params.jobId, AN_OPERATOR))!
    expect(job).toMatchObject({
      state: 'succeeded',
      attempt: 1,
      partial: true,
      error: null,
      progress: { mergesPlanned: 1, mergesCommitted: 1, mergesLeftOut: 0, filesIn: 10, rowsIn: 50, filesPlanned: 10 },
      result: { merges: [{ outcome: 'committed', filesSetAside: 10 }] },
      setAside: { count: 10 },
    })
    const named = new Map(job.setAside.files.map(({ fileId, code }) => [fileId, code]))
    expect(named).toEqual(expected)
    for (const { message } of job.setAside.files) expect(message.length).toBeGreaterThan(10)

    const files = await liveFiles(datasetId)
    const quarantined = new Map(files.filter(({ quarantine }) => quarantine).map((f) => [f.id, f.quarantine!]))
    expect(quarantined).toEqual(expected)
    expect(files.filter(({ level }) => level === 1).map(({ rows }) => rows)).toEqual([50])
    const setAside = lines.filter(({ event }) => event === 'file_set_aside').map(({ fileId }) => fileId)
    expect(setAside.sort()).toEqual([...expected.keys()].sort())
  })

  test.each(Object.entries(DAMAGES))(
    '(%s) leaves a table of two as it is, and merges the other table',
    async (_name, { code, damage }) => {
      const datasetId = newDatasetId()
      const bad = await upload(datasetId, user, [{ table: 'bad', bytes: fragment(0, 5) }])
      await upload(datasetId, user, [{ table: 'bad', bytes: fragment(5, 5) }])
      await upload(datasetId, user, [{ table: 'good', bytes: fragment(0, 5) }])
      const { jobId } = await uploadAndAsk(datasetId, user, [{ table: 'good', bytes: fragment(5, 5) }])
      await damage(bad.r2Key, new Uint8Array(await (await env.BUCKET.get(bad.r2Key))!.arrayBuffer()))
      await runToEnd(await claim(datasetId, jobId))
      expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({
        state: 'succeeded',
        partial: true,
        setAside: { count: 1, files: [{ code }] },
        progress: { mergesCommitted: 1, mergesLeftOut: 1 },
      })
      const files = await liveFiles(datasetId)
      expect(files.filter(({ table }) => table === 'good').map(({ rows }) => rows)).toEqual([10])
      expect(
        files
          .filter(({ table }) => table === 'bad')
          .map(({ rows, quarantine }) => [rows, quarantine])
          .sort(),
      ).toEqual(
        [
          [5, null],
          [5, code],
        ].sort(),
      )
    },
  )

  test.each(['first', 'last'])('names the %s file if that has another schema than was registered', async (which) => {
    const datasetId = newDatasetId()
    const good = [0, 5].map((first) => ({ table: 't', bytes: fragment(first, 5) }))
    const bad = { table: 't', bytes: fragment(10, 5, 'extra'), registeredAs: fragment(10, 5) }
    const parts = which === 'first' ? [bad, ...good] : [...good, bad]
    for (const part of parts.slice(0, -1)) await upload(datasetId, user, [part])
    const { jobId } = await uploadAndAsk(datasetId, user, [parts.at(-1)!])
    await runToEnd(await claim(datasetId, jobId))
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ state: 'succeeded', progress: { filesIn: 2 } })
    const refused = (await liveFiles(datasetId)).filter(({ quarantine }) => quarantine === 'schema_mismatch')
    expect(refused.map(({ bytes }) => bytes)).toEqual([bad.bytes.length])
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 15))
  })

  test('names the file whose object holds other rows than were registered', async () => {
    const { datasetId, keys, params } = await fragments(3)
    const swapped = await fileIdOf(datasetId, keys[1]!)
    const { length } = (await catalog.getFile(swapped, AN_OPERATOR))!
    await env.BUCKET.put(keys[1]!, padTo(fragment(5, 4), length))
    await runToEnd(params)
    const job = (await catalog.getJob(params.jobId, AN_OPERATOR))!
    expect(job).toMatchObject({ state: 'succeeded', partial: true, progress: { filesIn: 2 } })
    expect(job.setAside.files.map(({ fileId, code }) => [fileId, code])).toEqual([[swapped, 'row_count_mismatch']])
  })

  test('of which one is discarded while it runs goes on without it', async () => {
    const { datasetId, keys, params } = await fragments(3)
    const discarded = await fileIdOf(datasetId, keys[0]!)
    const read = R2Source.prototype.read
    const spy = vi.spyOn(R2Source.prototype, 'read').mockImplementation(async function (this: R2Source, ...args) {
      if (this.name === discarded) await catalog.discardFile(discarded, AN_OPERATOR)
      return read.apply(this, args)
    })
    await runToEnd(params)
    spy.mockRestore()
    expect(await catalog.getJob(params.jobId, AN_OPERATOR)).toMatchObject({
      state: 'succeeded',
      attempt: 1,
      partial: false,
    })
    expect(await liveIds(datasetId, 't')).toEqual(range(5, 10))
    expect(await liveFiles(datasetId)).toHaveLength(1)
  })
})

/** A Parquet file made longer in front of its footer, where no page lies: a reader looks for the footer at the end. */
function padTo(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const footer = 8 + new DataView(bytes.buffer).getUint32(bytes.length - 8, true)
  const padded = new Uint8Array(length)
  padded.set(bytes.subarray(0, bytes.length - footer))
  padded.set(bytes.subarray(bytes.length - footer), length - footer)
  return padded
}

describe('a merge that hangs on one file', () => {
  const open: Awaited<ReturnType<typeof introspectWorkflowInstance>>[] = []
  afterEach(async () => {
    vi.restoreAllMocks()
    for (const instance of open.splice(0)) await instance.dispose()
  })

  test('is found by ends of attempts and set aside; all others are merged', async () => {
    const { datasetId, keys, params } = await fragments(4)
    const killer = await fileIdOf(datasetId, keys[2]!)
    const read = R2Source.prototype.read
    let reads = 0
    let ends = 0
    vi.spyOn(R2Source.prototype, 'read').mockImplementation(async function (this: R2Source, ...args) {
      if (this.name !== killer) return read.apply(this, args)
      const hungIn = ends
      reads++
      // until the attempt is given up; then it lets go of the memory, as an isolate does that is gone
      while (ends === hungIn) await scheduler.wait(20)
      throw new Error('the instance is gone')
    })
    const job = () => catalog.getJob(params.jobId, AN_OPERATOR)
    for (let attempt = 1; ; attempt++) {
      const current = { ...params, attempt }
      const before = reads
      open.push(await introspectWorkflowInstance(env.DATA_COMPACTION_WORKFLOW, instanceId(current)))
      await open.at(-1)!.modify(async (m) => m.disableRetryDelays())
      await startAttempt(env, current)
      await expect.poll(async () => reads > before || (await job())!.state !== 'running', POLL).toBe(true)
      if ((await job())!.state !== 'running') break
      // what the rescuer calls for an instance that gives no sign
      const ended = { code: 'workflow_ended', step: 'rescue', message: 'no sign', transient: true }
      expect(await catalog.failAttempt(current, ended, LEASE_SECONDS, null)).toMatchObject({ outcome: 'retrying' })
      ends++
    }
    expect(ends).toBe(5)
    expect(await job()).toMatchObject({
      state: 'succeeded',
      attempt: 6,
      partial: true,
      setAside: { count: 1, files: [{ fileId: killer, code: 'merge_killed' }] },
    })
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 20))
    const files = await liveFiles(datasetId)
    expect(files.filter(({ quarantine }) => quarantine).map(({ id }) => id)).toEqual([killer])
  })
})
