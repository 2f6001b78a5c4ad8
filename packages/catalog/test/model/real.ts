import type { anObject, anOutput } from '../data-set-under-test.ts'
import { type Answer, type RaceDatabase, times } from '../races/race-database.ts'
import { type ModelCatalog, type ModelDataset, type ModelFile, type ModelJob, must } from './model.ts'

export const DATA_SETS = times(2, (i) => `model-${i}`)
export const USERS = times(2, (i) => `00000000-0000-4000-8000-00000000000${i + 1}`)
export const SENDER = 'a model'

export type SentObject = { datasetId: string; user: string; object: ReturnType<typeof anObject> }
export type SentOutput = { jobId: string; attempt: number; index: number; output: ReturnType<typeof anOutput> }

/** The database, and what those who call it have sent and were told: what commands choose from. */
export class Real {
  readonly database: RaceDatabase
  readonly objects: SentObject[] = []
  /** keys of objects whose call was answered: the walk over the bucket looks at no younger ones */
  readonly settled: string[] = []
  /** keys of objects that vacuum has deleted */
  readonly deleted = new Set<string>()
  /** keys of objects that were answered as stored */
  readonly stored = new Set<string>()
  readonly outputs: SentOutput[] = []
  readonly jobs: string[] = []
  readonly messages: { id: string; datasetId: string }[] = []
  /** how often each function gave each outcome: `commit_merge conflict` */
  readonly outcomes = new Map<string, number>()

  constructor(database: RaceDatabase) {
    this.database = database
  }

  /** Nothing in it. */
  static async empty(database: RaceDatabase): Promise<Real> {
    await database.query('truncate datasets, jobs, files, merges, outbox, dead_letters, garbage, sweeps cascade')
    return new Real(database)
  }

  async call<Result = Answer>(name: string, args: Record<string, unknown> = {}): Promise<Result> {
    const answer = await this.database.call<Result>(name, args)
    const { outcome } = (answer ?? {}) as { outcome?: string }
    const what = outcome === undefined ? name : `${name} ${outcome}`
    this.outcomes.set(what, (this.outcomes.get(what) ?? 0) + 1)
    return answer
  }

  sawJob(jobId: unknown): void {
    if (typeof jobId === 'string' && !this.jobs.includes(jobId)) this.jobs.push(jobId)
  }

  /** The one so far back from the newest, of those in a state or of all. */
  async jobIn(state: string | null, back: number): Promise<string | undefined> {
    const found = await this.database.query<{ id: string }>(
      'select id from jobs where $1::text is null or state = $1',
      state,
    )
    const ids = new Set(found.map(({ id }) => id))
    const jobs = this.jobs.filter((id) => ids.has(id))
    return jobs.at(-1 - (back % Math.max(1, jobs.length)))
  }

  /** Where the files of these ids lie: the names that the model knows them by. */
  async names(ids: readonly string[]): Promise<string[]> {
    const rows = await this.database.query<{ name: string }>(
      `select f.r2_key || '#' || f.byte_offset as name from unnest($1::uuid[]) with ordinality as i (id, place)
       join files f on f.id = i.id order by i.place`,
      ids,
    )
    return rows.map(({ name }) => name)
  }
}

const STATE = `select
  (select coalesce(jsonb_agg(jsonb_build_object(
      'id', id, 'owner', owner_id, 'version', version, 'oldestVersion', oldest_version
    ) order by id), '[]') from datasets) as datasets,
  (select coalesce(jsonb_agg(jsonb_build_object(
      'id', id, 'state', state, 'attempt', attempt, 'cancelRequested', cancel_requested_at is not null, 'triggers', triggers
    ) order by id), '[]') from jobs) as jobs,
  (select coalesce(jsonb_agg(jsonb_build_object(
      'name', r2_key || '#' || byte_offset, 'rows', row_count, 'level', level, 'createdVersion', created_version,
      'removedVersion', removed_version, 'quarantinedBy', quarantined_by_job
    ) order by (r2_key || '#' || byte_offset) collate "C"), '[]') from files) as files`

type Row = Readonly<Record<string, unknown>>

/** The database and the model must say the same of every dataset, file and job. */
export async function compare(model: ModelCatalog, { database }: Real): Promise<void> {
  const [found] = await database.query<Record<'datasets' | 'jobs' | 'files', Row[]>>(STATE)
  const sorted = <Item extends Row>(rows: Item[], key: keyof Item) => rows.sort((a, b) => (a[key] < b[key] ? -1 : 1))

  const datasets = [...model.datasets.values()]
  const pickDataset = ({ id, owner, version, oldestVersion }: ModelDataset) => ({ id, owner, version, oldestVersion })
  same('datasets', found!.datasets, sorted(datasets.map(pickDataset), 'id'))

  const pickJob = ({ id, state, attempt, cancelRequested, triggers }: ModelJob) => ({
    id,
    state,
    attempt,
    cancelRequested,
    triggers,
  })
  same('jobs', found!.jobs, sorted([...model.jobs.values()].map(pickJob), 'id'))

  const pickFile = ({ name, rows, level, createdVersion, removedVersion, quarantinedBy }: ModelFile) => ({
    name,
    rows,
    level,
    createdVersion,
    removedVersion: removedVersion ?? null,
    quarantinedBy: quarantinedBy ?? null,
  })
  const files = datasets.flatMap((dataset) => [...dataset.files.values()])
  same('files', found!.files, sorted(files.map(pickFile), 'name'))

  for (const dataset of datasets) {
    const held = model.live(dataset).flatMap(({ holds }) => holds)
    must(new Set(held).size === held.length, 'each uploaded row lies in exactly one live file', held)
  }
}

function same(what: string, found: readonly Row[], expected: readonly Row[]): void {
  // in one order of names, which jsonb does not keep
  const texts = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(Object.entries(row).sort()))
  const [inDatabase, inModel] = [texts(found), texts(expected)]
  const only = (some: string[], others: string[]) => some.filter((row) => !others.includes(row))
  must(
    inDatabase.length === inModel.length && inDatabase.every((row, i) => row === inModel[i]),
    `the ${what} are not what the rules make of them`,
    { onlyInDatabase: only(inDatabase, inModel), onlyInModel: only(inModel, inDatabase) },
  )
}
