import { expect, test } from 'vitest'
import { describeRaces, RacingDataSet, times } from './race-database.ts'

const ROUNDS = 40

describeRaces('readers beside uploads, swaps and vacuum', (database) => {
  test('see each version whole, or that it is gone', async () => {
    const dataset = new RacingDataSet(database)
    await dataset.upload([{}, {}])
    await database.call('configure_dataset', {
      p_dataset_id: dataset.id,
      p_caller: { operator: true },
      p_settings: { retentionSeconds: 0 },
    })
    /** Rows of each version, as the writer knows them. */
    const rows = new Map([[1, 20]])
    let newest = 1
    let writing = true

    const write = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const total = rows.get(newest)! + 20
        rows.set(newest + 1, total)
        rows.set(newest + 2, total)
        await dataset.upload([{}, {}])
        const attempt = await dataset.start()
        await dataset.plan(attempt)
        expect((await dataset.commit(attempt, total)).outcome).toBe('committed')
        newest += 2
        await dataset.finish(attempt)
      }
      writing = false
    }
    const vacuum = async () => {
      while (writing) {
        await database.call('complete_garbage', {
          p_keys: await database.call<string[]>('claim_garbage', { p_limit: 100 }),
        })
      }
    }
    const outcomes = new Map<string, number>()
    const read = async (back: number) => {
      while (writing) {
        const listed = await database.call<{ outcome: string; version: number; files: { rows: number }[] }>(
          'list_files',
          {
            p_dataset_id: dataset.id,
            p_caller: { operator: true },
            p_table: null,
            p_period_tag: null,
            p_version: back === 0 ? null : Math.max(1, newest - back + 1),
            p_after_table: null,
            p_after_period: null,
            p_after_id: null,
            p_limit: 1000,
          },
        )
        outcomes.set(listed.outcome, (outcomes.get(listed.outcome) ?? 0) + 1)
        if (listed.outcome === 'ok') {
          const seen = listed.files.reduce((sum, file) => sum + file.rows, 0)
          expect({ version: listed.version, rows: seen }).toEqual({
            version: listed.version,
            rows: rows.get(listed.version),
          })
        }
      }
    }
    await Promise.all([write(), vacuum(), vacuum(), ...times(8, (i) => read(i % 4))])
    expect([...outcomes.keys()].sort()).toEqual(['ok', 'version_gone'])
    expect(await dataset.state()).toMatchObject({ rows: 20 + ROUNDS * 20, files: 1 })
  })
})
