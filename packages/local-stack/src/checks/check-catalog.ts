import type { StackDatabase } from './database.ts'

/** Queries that must never find anything in the catalog, whatever happens. */
const NEVER: Record<string, string> = {
  'more than one running or queued job of a dataset': `select dataset_id, state, count(*)::int from jobs
    where state in ('running', 'queued') group by kind, dataset_id, state having count(*) > 1`,
  'a file of a version that is not there yet': `select f.id from files f join datasets d on d.id = f.dataset_id
    where greatest(f.created_version, f.removed_version) > d.version`,
  'a content stored twice': `select dataset_id, table_name, period_tag, content_sha256 from files where level = 0
    and not discarded group by 1, 2, 3, 4 having count(*) > 1`,
  'a version that two changes made': `select dataset_id, created_version from files
    where healed_at is null and created_version >= 0 and not exists (
      select 1 from deletions d where d.dataset_id = files.dataset_id and d.restored_version = created_version
    ) group by dataset_id, created_version having count(distinct r2_key) > 1`,
  'a job whose figures are not those of its swaps': `select j.id from jobs j
    left join merges m on m.job_id = j.id and m.state = 'committed'
    group by j.id having j.files_out <> count(m.*) or j.rows_in <> coalesce(sum(m.rows_in), 0) or j.rows_in <> j.rows_out`,
  'a committed merge whose inputs are live': `select m.job_id, m.index from merges m join files f on f.id = any (m.input_ids)
    where m.state = 'committed' and f.removed_version is null`,
  'a merged file whose rows are not those of its inputs': `select m.output_id from merges m join files f on f.id = m.output_id
    where m.state = 'committed' and f.row_count <> m.rows_in`,
  'a file set aside that its job does not name': `select f.id, f.quarantined_by_job from files f
    join jobs j on j.id = f.quarantined_by_job
    where f.quarantine_code is not null and f.removed_version is null and j.files_set_aside <= fusou.max_named_files()
      and not j.set_aside @> jsonb_build_array(jsonb_build_object('fileId', f.id))`,
  'a job that counts fewer files set aside than it names': `select id from jobs
    where files_set_aside < jsonb_array_length(set_aside)`,
  'a suspect that is no live file to be merged': `select s.file_id from suspects s join files f on f.id = s.file_id
    where f.removed_version is not null or f.quarantine_code is not null`,
  'a need for compaction where there is none, or the reverse': `select id from datasets d
    where compaction_needed <> exists (select 1 from fusou.small_groups(d.id) g where g.fresh >= 2 or g.upper_tier_full)
      and not exists (select 1 from jobs r where r.dataset_id = d.id and r.state = 'running')`,
}

/** @returns a sentence for each thing in the catalog that must never be */
export async function checkCatalog(database: StackDatabase): Promise<string[]> {
  const faults: string[] = []
  for (const [what, text] of Object.entries(NEVER))
    for (const row of await database.query(text)) faults.push(`${what}: ${JSON.stringify(row)}`)
  return faults
}

/** @returns a sentence for each job and message that is not at its end: to be asked when all is quiet */
export async function checkQuiet(database: StackDatabase): Promise<string[]> {
  const jobs = await database.query<{ id: string; state: string; step: string | null }>(
    "select id, state, step from jobs where state in ('queued', 'running')",
  )
  const messages = await database.query<{ id: number; key: string; status: string; error: string | null }>(
    "select id, key, status, error from outbox where status <> 'published'",
  )
  return [
    ...jobs.map(({ id, state, step }) => `job ${id} is stuck: ${state}${step === null ? '' : ` in ${step}`}`),
    ...messages.map(({ id, key, status, error }) => `message ${id} of ${key} is ${status}: ${error}`),
  ]
}
