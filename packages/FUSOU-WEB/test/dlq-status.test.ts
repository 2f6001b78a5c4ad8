import { describe, expect, test } from 'vitest'
import { call, catalog, expectProblem, json, newJobOf, OPERATOR, post } from './support/api.ts'
import { newUser } from './support/tokens.ts'

interface Status {
  total: number
  workflow_failures: { count: number; records: { job_id: string; retried_as: string | null }[] }
  dlq_failures: { count: number; records: { id: number; code: string; closed_how: string | null }[] }
  next_cursor: string | null
}

/** A user with a dead job, and letters with these codes. */
async function userWithLetters(...codes: string[]) {
  const owner = await newUser()
  const { datasetId, jobId } = await newJobOf(owner)
  await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
  const failure = { code: 'corrupt_file', step: 'compact-1', message: 'no', transient: false }
  await catalog.failAttempt({ jobId, attempt: 1 }, failure, 60, 'test')
  for (const code of codes) {
    const letter = { queue: 'q', messageId: crypto.randomUUID(), body: {}, message: 'no', attempts: 1, jobId: null }
    await catalog.recordDeadLetter({ ...letter, code, datasetId })
  }
  const find = (query = '') => json<Status>(`/api/compaction/dlq-status?${query}`, owner)
  return { owner, datasetId, jobId, find }
}

describe('what failed for good', () => {
  test('is found by code, dataset and whether it is open', async () => {
    const { find, datasetId, jobId } = await userWithLetters('one', 'two', 'two')
    const codes = async (query: string) => (await find(query)).dlq_failures.records.map(({ code }) => code)
    expect(await codes('')).toEqual(['two', 'two', 'one'])
    expect(await codes('code=one')).toEqual(['one'])
    expect(await codes(`datasetId=${datasetId}&code=two`)).toEqual(['two', 'two'])
    expect(await codes('datasetId=another')).toEqual([])
    expect(await codes('open=false')).toEqual([])
    expect((await find('code=corrupt_file')).workflow_failures).toMatchObject({
      count: 1,
      records: [{ job_id: jobId }],
    })
    expect((await find('code=two')).workflow_failures).toEqual({ count: 0, records: [] })
  })

  test('comes in pages that hold each record once', async () => {
    const { find } = await userWithLetters('a', 'b', 'c')
    const codes: string[] = []
    let jobs = 0
    let query = 'limit=2'
    for (let pages = 0; pages < 5; pages++) {
      const page = await find(query)
      codes.push(...page.dlq_failures.records.map(({ code }) => code))
      jobs += page.workflow_failures.records.length
      if (page.next_cursor === null) break
      query = `limit=2&cursor=${page.next_cursor}`
    }
    expect([codes, jobs]).toEqual([['c', 'b', 'a'], 1])
  })

  test.each(['open=yes', 'cursor=abc', 'datasetId=..', `code=${'x'.repeat(101)}`])(
    'is not asked for by %s',
    async (query) => {
      const { owner } = await userWithLetters()
      const problem = await expectProblem(call(`/api/compaction/dlq-status?${query}`, owner), 'invalid_request')
      expect(problem.errors?.[0]?.field).toBe(query.split('=')[0])
    },
  )
})

describe('a dead letter', () => {
  test('is acknowledged by its owner or an operator, as often as they like, and is then not open', async () => {
    const { owner, find } = await userWithLetters('one', 'two')
    const [two, one] = (await find()).dlq_failures.records
    const acknowledge = async (id: number, caller: { token: string }) =>
      (await post(`/api/compaction/dlq/${id}/acknowledge`, {}, caller)).json<object>()
    const closed = await acknowledge(one!.id, owner)
    expect(closed).toMatchObject({ success: true, id: one!.id, closed_how: 'acknowledged' })
    expect(await acknowledge(one!.id, OPERATOR)).toEqual(closed)
    expect(await acknowledge(two!.id, OPERATOR)).toMatchObject({ closed_how: 'acknowledged' })
    expect((await find('open=true')).dlq_failures.count).toBe(0)
    expect((await find('open=false')).dlq_failures.count).toBe(2)
  })

  test('of somebody else, or of no number that there is, is unknown', async () => {
    const { find } = await userWithLetters('one')
    const [letter] = (await find()).dlq_failures.records
    const stranger = await newUser()
    await expectProblem(post(`/api/compaction/dlq/${letter!.id}/acknowledge`, {}, stranger), 'unknown_letter')
    await expectProblem(post('/api/compaction/dlq/9007199254740991/acknowledge', {}, OPERATOR), 'unknown_letter')
    for (const id of ['0', '-1', 'x', '1e3', '99999999999999999'])
      await expectProblem(post(`/api/compaction/dlq/${id}/acknowledge`, {}, OPERATOR), 'invalid_request')
  })
})
