import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { anObject, anOutput, LEASE_SECONDS, SENDER, type SliceSpec } from '../data-set-under-test.ts'

/** How many sessions race. */
export const SESSIONS = 16

pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/** A guard against waiting for ever; a line of calls forms within a few dozen. */
const MAX_LOOKS = 10_000

export type Answer = Record<string, unknown> & { outcome: string }

/** A copy of the migrated database on the real server, with many sessions at once. */
export class RaceDatabase {
  #pool: pg.Pool | undefined
  readonly #root: pg.Client
  readonly name = `race_${randomUUID().replaceAll('-', '')}`
  readonly serverUrl: string

  constructor(serverUrl: string) {
    this.serverUrl = serverUrl
    this.#root = new pg.Client({ connectionString: `${serverUrl}/postgres` })
  }

  async open(): Promise<void> {
    await this.#root.connect()
    await this.#root.query(`create database ${this.name} template fusou`)
    // one more than race: for whoever holds the lock behind which they line up, or looks on
    this.#pool = new pg.Pool({ connectionString: `${this.serverUrl}/${this.name}`, max: SESSIONS + 2 })
  }

  async close(): Promise<void> {
    await this.#pool?.end()
    await this.#root.end()
  }

  get pool(): pg.Pool {
    if (this.#pool === undefined) throw new Error('the database is not open')
    return this.#pool
  }

  async query<Row extends pg.QueryResultRow>(text: string, ...params: unknown[]): Promise<Row[]> {
    return (await this.pool.query<Row>(text, params)).rows
  }

  /** A database function by the names of its arguments, as PostgREST calls it; in a session of its own, or a given one. */
  async call<Result = Answer>(
    name: string,
    args: Record<string, unknown> = {},
    session: pg.Pool | pg.PoolClient = this.pool,
  ): Promise<Result> {
    const names = Object.keys(args)
    const values = Object.values(args).map((value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) ? JSON.stringify(value) : value,
    )
    const text = `select public.${name}(${names.map((arg, i) => `${arg} => $${i + 1}`).join(', ')}) as answer`
    return (await session.query<{ answer: Result }>(text, values)).rows[0]!.answer
  }

  /**
   * Lets the calls line up behind a lock on the dataset, then lets them all go: whatever they read before they wait is
   * old by the time they go on. Calls that do not wait for the lock simply run.
   */
  async lineUp<Result>(datasetId: string, calls: readonly (() => Promise<Result>)[]): Promise<Result[]> {
    const holder = await this.pool.connect()
    try {
      await holder.query('begin')
      await holder.query('select 1 from public.datasets where id = $1 for update', [datasetId])
      let settled = 0
      const running = calls.map((call) => call().finally(() => settled++))
      const all = Promise.all(running)
      all.catch(() => {})
      // outside the transaction of the holder, in which the view would stay as it was at first
      const waiting = async () =>
        (
          await this.query<{ count: number }>(
            "select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
          )
        )[0]!.count
      for (let looks = 0; (await waiting()) + settled < calls.length; looks++)
        if (looks > MAX_LOOKS) throw new Error('the calls neither wait nor end')
      await holder.query('commit')
      return await all
    } finally {
      await holder.query('rollback')
      holder.release()
    }
  }
}

/** What races need: a real server. Without one they are left out, and the global setup has said so. */
export function describeRaces(name: string, races: (database: RaceDatabase) => void): void {
  const url = inject('postgresUrl')
  describe.skipIf(url === null)(url === null ? `${name} (left out: no PostgreSQL here)` : name, () => {
    const database = new RaceDatabase(url ?? '')
    beforeAll(() => database.open())
    afterAll(() => database.close())
    races(database)
  })
}

/** A dataset of its own on the real server. */
export class RacingDataSet {
  readonly id = `ds-${randomUUID()}`
  readonly owner = randomUUID()
  readonly #database: RaceDatabase

  constructor(database: RaceDatabase) {
    this.#database = database
  }

  /** An upload whose owner asks for a merge at once, whatever the policy says. */
  async uploadAndTrigger(slices: readonly SliceSpec[] = [{}]) {
    return { ...(await this.upload(slices)), ...(await this.trigger()) }
  }

  /** As the upload route does; the bucket has the bytes of all copies, unless they are broken. */
  async upload(
    slices: readonly SliceSpec[] = [{}],
    userId = this.owner,
    object = anObject(slices),
    { broken = false, replaces = null }: { broken?: boolean; replaces?: string | null } = {},
  ) {
    const args = {
      p_dataset_id: this.id,
      p_caller: { user: userId },
      p_object: object,
      p_sender: SENDER,
      p_replaces: replaces,
    }
    const answer = await this.#database.call<Answer & { copies?: unknown }>('register_upload', args)
    if (answer.outcome !== 'check_copies') return answer
    const copies = broken ? answer.copies : []
    return this.#database.call('register_upload', { ...args, p_copies: JSON.stringify(copies) })
  }

  trigger() {
    return this.#database.call('request_compaction', {
      p_dataset_id: this.id,
      p_caller: { operator: true },
      p_sender: SENDER,
    })
  }

  deliver(messageId: string, jobId: string | null = null) {
    return this.#database.call('accept_message', {
      p_message_id: messageId,
      p_dataset_id: this.id,
      p_job_id: jobId,
      p_priority: 'manual',
      p_table: null,
      p_period_tag: null,
      p_metric_id: null,
      p_lease_seconds: LEASE_SECONDS,
    })
  }

  async start(): Promise<{ jobId: string; attempt: number }> {
    const answer = await this.deliver(randomUUID())
    if (answer.outcome !== 'claimed') throw new Error(answer.outcome)
    return { jobId: answer.jobId as string, attempt: answer.attempt as number }
  }

  /** One merge of all that can be merged: the ids of its inputs. */
  async plan({ jobId, attempt }: { jobId: string; attempt: number }): Promise<string[]> {
    const fence = { p_job_id: jobId, p_attempt: attempt }
    const { files } = await this.#database.call<{ files: { id: string }[] }>('list_mergeable_files', {
      ...fence,
      p_max_files: 1000,
    })
    const ids = files.map((file) => file.id)
    await this.#database.call('save_plan', { ...fence, p_merges: JSON.stringify([ids]) })
    return ids
  }

  commit({ jobId, attempt }: { jobId: string; attempt: number }, rows: number, index = 1, output = {}) {
    return this.#database.call('commit_merge', {
      p_job_id: jobId,
      p_attempt: attempt,
      p_index: index,
      p_output: anOutput(rows, output),
      p_lease_seconds: LEASE_SECONDS,
    })
  }

  finish({ jobId, attempt }: { jobId: string; attempt: number }) {
    return this.#database.call('finish_job', {
      p_job_id: jobId,
      p_attempt: attempt,
      p_result: {},
      p_more: false,
      p_sender: SENDER,
    })
  }

  fail({ jobId, attempt }: { jobId: string; attempt: number }, transient = true) {
    return this.#database.call('fail_attempt', {
      p_job_id: jobId,
      p_attempt: attempt,
      p_code: 'workflow_ended',
      p_step: 'compact-1',
      p_message: 'gone',
      p_transient: transient,
      p_lease_seconds: LEASE_SECONDS,
      p_sender: SENDER,
    })
  }

  async state() {
    const [row] = await this.#database.query<{
      version: number
      compaction_needed: boolean
      owner_id: string
      rows: number
      files: number
    }>(
      `select d.version, d.compaction_needed, d.owner_id,
         coalesce(sum(f.row_count), 0)::bigint as rows, count(f.id)::bigint as files
       from datasets d left join files f on f.dataset_id = d.id and f.removed_version is null
       where d.id = $1 group by d.id`,
      this.id,
    )
    return row!
  }

  jobs(state: string) {
    return this.#database.query<{ id: string; attempt: number; triggers: number }>(
      'select id, attempt, triggers from jobs where dataset_id = $1 and state = $2',
      this.id,
      state,
    )
  }

  async openMessages(jobId: string): Promise<number> {
    const rows = await this.#database.query(
      "select 1 from outbox where key = $1 and status in ('pending', 'in_progress')",
      jobId,
    )
    return rows.length
  }
}

export const times = <Result>(count: number, make: (index: number) => Result): Result[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** How often each outcome came. */
export function tally(answers: readonly { outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of answers) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
