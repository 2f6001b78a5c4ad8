import type { RaceDatabase } from '../races/race-database.ts'
import { must } from './model.ts'

/** What no query may ever find, whoever calls what at once. */
const NEVER: Record<string, string> = {
  'more than one running or queued job of a dataset': `select dataset_id, state from jobs
    where state in ('running', 'queued') group by 1, 2 having count(*) > 1`,
  'a queued job that waits although a slot is free': `select j.id from jobs j join datasets d on d.id = j.dataset_id, admission a
    where j.state = 'queued' and j.admitted_at is null
    and not exists (select 1 from jobs r where r.dataset_id = j.dataset_id and r.state = 'running')
    and (select count(*) from jobs s where s.state = 'running' or (s.state = 'queued' and s.admitted_at is not null))
      < a.max_running_jobs
    and (select count(*) from jobs s join datasets o on o.id = s.dataset_id where o.owner_id = d.owner_id
      and (s.state = 'running' or (s.state = 'queued' and s.admitted_at is not null))) < a.max_running_jobs_of_owner`,
  'an admitted job that nothing will start': `select j.id from jobs j where j.state = 'queued' and j.admitted_at is not null
    and not exists (select 1 from jobs r where r.dataset_id = j.dataset_id and r.state = 'running')
    and not exists (select 1 from outbox o where o.key = j.id::text and o.status <> 'dead')
    and cardinality(j.message_ids) = 0`,
  'garbage that a file names': 'select r2_key from garbage join files using (r2_key)',
  'a file of a version that is not there yet': `select f.id from files f join datasets d on d.id = f.dataset_id
    where greatest(f.created_version, f.removed_version) > d.version`,
  'a content stored twice': `select content_sha256 from files where level = 0 and not discarded
    group by dataset_id, table_name, period_tag, content_sha256 having count(*) > 1`,
  'two changes in one version': `select dataset_id, created_version from files
    where healed_at is null group by 1, 2 having count(distinct r2_key) > 1`,
  'a removed file that no swap has replaced, or the reverse': `select f.id from files f
    where (f.removed_version is not null and not f.discarded) <> exists (select 1 from merges m where f.id = any (m.input_ids) and m.state = 'committed')`,
  'a suspect that no merge would take': `select s.file_id from suspects s join files f on f.id = s.file_id
    where f.removed_version is not null or f.quarantine_code is not null`,
  'a set of suspects that do not agree on it': `select set_id from suspects
    group by set_id having count(distinct (set_files, ends)) > 1 or count(*) > min(set_files)`,
  'a file set aside that its job does not name': `select f.id from files f join jobs j on j.id = f.quarantined_by_job
    where j.files_set_aside <= fusou.max_named_files()
      and not j.set_aside @> jsonb_build_array(jsonb_build_object('fileId', f.id))`,
  'a file that two swaps have replaced': `select f.id from files f
    where (select count(*) from merges m where f.id = any (m.input_ids) and m.state = 'committed') > 1`,
  'a swap whose output has other rows than its inputs': `select m.output_id from merges m join files f on f.id = m.output_id
    where m.state = 'committed' and f.row_count <> m.rows_in`,
  'a job whose figures are not those of its swaps': `select j.id from jobs j
    left join merges m on m.job_id = j.id and m.state = 'committed'
    group by j.id having j.files_out <> count(m.*) or j.rows_in <> coalesce(sum(m.rows_in), 0) or j.rows_in <> j.rows_out`,
  'a dead job that was not told to the dead letters': `select j.id from jobs j where j.state = 'dead'
    and not exists (select 1 from outbox o where o.key = j.id || '-dead-' || j.attempt)
    and not exists (select 1 from dead_letters l where l.job_id = j.id)`,
  'a need for compaction that is not so': `select d.id from datasets d
    where compaction_needed <> exists (select 1 from fusou.small_groups(d.id) g where g.fresh >= 2 or g.upper_tier_full)
    and not exists (select 1 from jobs r where r.dataset_id = d.id and r.state = 'running')`,
}

const ALL = Object.entries(NEVER)
  .map(([what, text]) => `select '${what}' as what, to_jsonb(found) as found from (${text}) found`)
  .join(' union all ')

export async function checkInvariants(database: RaceDatabase): Promise<void> {
  const found = await database.query<{ what: string }>(ALL)
  must(found.length === 0, `there is ${found[0]?.what}`, found)
}
