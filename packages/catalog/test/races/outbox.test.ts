import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeRaces, SESSIONS, times } from './race-database.ts'

describeRaces('the outbox', (database) => {
  const emit = (count: number) =>
    database.query("select fusou.emit('job.dead', gen_random_uuid()::text, '{}') from generate_series(1, $1)", count)
  const claimArgs = (workerId: string, lockSeconds = 60) => ({
    max_batch: 7,
    lock_seconds: lockSeconds,
    worker_id: workerId,
  })
  const ids = (messages: readonly { id: number }[]) => messages.map((message) => message.id)

  test('gives two claimers whose transactions overlap different messages, and lets neither wait', async () => {
    await emit(14)
    const [first, second] = [await database.pool.connect(), await database.pool.connect()]
    try {
      for (const session of [first, second]) {
        await session.query('begin')
        // a claimer that waits for another fails here
        await session.query("set local lock_timeout = '1ms'")
      }
      const mine = ids(await database.call('claim_outbox', claimArgs('one'), first))
      const theirs = ids(await database.call('claim_outbox', claimArgs('two'), second))
      await first.query('commit')
      await second.query('commit')
      expect([mine.length, theirs.length, new Set([...mine, ...theirs]).size]).toEqual([7, 7, 14])
    } finally {
      first.release()
      second.release()
    }
  })

  test('gives every message to one of sixteen claimers', async () => {
    await emit(300)
    const claimAll = async (workerId: string) => {
      const mine: number[] = []
      for (;;) {
        const claimed = ids(await database.call('claim_outbox', claimArgs(workerId)))
        if (claimed.length === 0) return mine
        mine.push(...claimed)
      }
    }
    const claimed = (await Promise.all(times(SESSIONS, () => claimAll(randomUUID())))).flat()
    expect(new Set(claimed).size).toBe(claimed.length)
    const left = await database.query("select 1 from outbox where status = 'pending'")
    expect([claimed.length, left.length]).toEqual([300, 0])
  })

  test('counts a lock that ran out once, however many claimers find it', async () => {
    await database.query('delete from outbox')
    await emit(20)
    await database.call('claim_outbox', { ...claimArgs('dead', 0), max_batch: 20 })
    const claimSome = (workerId: string) => database.call<{ id: number }[]>('claim_outbox', claimArgs(workerId))
    const raced = (await Promise.all(times(SESSIONS, (i) => claimSome(`worker ${i}`)))).flatMap(ids)
    // who came while another was reaping went away with less
    const after = [await claimSome('late'), await claimSome('later')].flatMap(ids)
    const claimed = [...raced, ...after]
    expect([claimed.length, new Set(claimed).size]).toEqual([20, 20])
    const rows = await database.query<{ attempts: number }>('select attempts from outbox')
    expect(rows.map((row) => row.attempts)).toEqual(times(20, () => 1))
  })

  test('lets the holder of a lock and the claimer of a lock that ran out not both win', async () => {
    await database.query('delete from outbox')
    await emit(40)
    for (let round = 0; round < 5; round++) {
      const slow = ids(await database.call('claim_outbox', { ...claimArgs('slow', 0), max_batch: 8 }))
      const [completed, claimed] = await Promise.all([
        database.call<number>('complete_outbox', { p_ids: slow, p_worker_id: 'slow' }),
        database.call<{ id: number }[]>('claim_outbox', { ...claimArgs('quick'), max_batch: 8 }),
      ])
      const retaken = ids(claimed).filter((id) => slow.includes(id))
      const published = await database.query<{ id: number }>(
        "select id from outbox where id = any ($1) and status = 'published'",
        slow,
      )
      expect(published).toHaveLength(completed)
      expect(ids(published).filter((id) => retaken.includes(id))).toEqual([])
      await database.call('complete_outbox', { p_ids: ids(claimed), p_worker_id: 'quick' })
    }
  })
})
