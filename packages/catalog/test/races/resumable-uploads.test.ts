import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { anObject, SENDER, sha256 } from '../data-set-under-test.ts'
import { describeRaces, RacingDataSet, SESSIONS, times } from './race-database.ts'

const BYTES = 1000

describeRaces('uploads in parts', (database) => {
  const codeOf = (call: Promise<{ outcome?: string }>) =>
    call.then(
      (answer) => answer.outcome ?? 'none',
      (error: { code: string }) => error.code,
    )
  const countOf = (codes: readonly string[], code: string) => codes.filter((one) => one === code).length

  const open = (owner: string, content: string = randomUUID()) => {
    const r2Key = `datasets/any/uploads/${randomUUID()}`
    return database.call<{ outcome: string; upload: { uploadId: string }; r2Key: string }>('open_upload', {
      p_caller: { user: owner },
      p_upload: { datasetId: `ds-${owner}`, table: 't', periodTag: '0', byteLength: BYTES, sha256: sha256(content) },
      p_bucket: { r2Key, uploadId: randomUUID(), partBytes: BYTES },
    })
  }
  const complete = (owner: string, { upload, r2Key }: Awaited<ReturnType<typeof open>>) => {
    const object = { ...anObject([{ table: 't', length: BYTES, content: upload.uploadId }]), r2Key }
    return database.call<{ outcome: string; version?: number }>('complete_upload', {
      p_id: upload.uploadId,
      p_caller: { user: owner },
      p_object: object,
      p_sender: SENDER,
    })
  }
  const expire = (uploadId: string) =>
    database.query('update resumable_uploads set expires_at = now() where id = $1', uploadId)
  const filesOf = (r2Key: string) => database.query('select 1 from files where r2_key = $1', r2Key)
  const isGarbage = async (r2Key: string) =>
    (await database.query('select 1 from garbage where r2_key = $1', r2Key)).length > 0

  test('opened at once take exactly the bytes and the places that are left', async () => {
    for (const [limits, code] of [
      [{ liveBytes: 5 * BYTES + 1 }, 'PT402'],
      [{ openUploads: 5 }, 'PT429'],
    ] as const) {
      const owner = randomUUID()
      await database.call('configure_limits', { p_caller: { operator: true }, p_owner: owner, p_settings: limits })
      const codes = await Promise.all(times(SESSIONS, () => codeOf(open(owner))))
      expect([countOf(codes, 'opened'), countOf(codes, code)]).toEqual([5, SESSIONS - 5])
    }
  })

  test('opened at once for the same content are one', async () => {
    const owner = randomUUID()
    const opened = await Promise.all(times(SESSIONS, () => open(owner, 'same')))
    expect(new Set(opened.map(({ upload }) => upload.uploadId)).size).toBe(1)
    expect(opened.filter(({ outcome }) => outcome === 'opened')).toHaveLength(1)
  })

  test('completed at once register one file, and all are answered alike', async () => {
    const owner = randomUUID()
    const upload = await open(owner)
    const answers = await Promise.all(times(SESSIONS, () => complete(owner, upload)))
    expect(answers.map(({ outcome, version }) => [outcome, version])).toEqual(times(SESSIONS, () => ['stored', 1]))
    expect(await filesOf(upload.r2Key)).toHaveLength(1)
  })

  test('completed, given up and swept at once either have a file or are garbage, never both or neither', async () => {
    for (let round = 0; round < 20; round++) {
      const owner = randomUUID()
      const upload = await open(owner)
      const { uploadId } = upload.upload
      if (round % 2 === 0) await expire(uploadId)
      const caller = { p_id: uploadId, p_caller: { user: owner } }
      const drop = async () => {
        const aborted = await database.call<{ id: string }[]>('expire_uploads', { p_limit: 100 })
        await database.call('forget_uploads', { p_ids: aborted.map(({ id }) => id) })
        return { outcome: 'dropped' }
      }
      await Promise.all([
        codeOf(complete(owner, upload)),
        codeOf(drop()),
        ...(round % 4 < 2 ? [codeOf(database.call('abort_upload', caller))] : []),
      ])
      await drop()
      const rest = await database.query<{ state: string }>(
        'select state from resumable_uploads where id = $1',
        uploadId,
      )
      const [hasFile, garbage] = [(await filesOf(upload.r2Key)).length > 0, await isGarbage(upload.r2Key)]
      expect([hasFile, garbage, rest.map(({ state }) => state)]).toEqual(
        hasFile ? [true, false, ['completed']] : [false, true, []],
      )
    }
  })

  test('wait for deletions, sweeps and other uploads in one order', async () => {
    const dataset = new RacingDataSet(database)
    await dataset.upload([{}])
    const { owner } = dataset
    const codes: string[] = []
    for (let round = 0; round < 10; round++) {
      const uploads = await Promise.all(times(4, () => open(owner)))
      const calls = [
        ...uploads.map((upload) => complete(owner, upload)),
        database.call<{ outcome?: string }>('delete_user_data', {
          p_caller: { operator: true },
          p_user_id: owner,
          p_limit: 10,
        }),
        database.call<{ outcome?: string }>('expire_uploads', { p_limit: 100 }),
        dataset.upload([{}]),
        open(owner),
      ]
      codes.push(...(await Promise.all(calls.map(codeOf))))
    }
    expect(codes).toHaveLength(80)
    expect(codes.filter((code) => code === '40P01')).toEqual([])
  })
})
