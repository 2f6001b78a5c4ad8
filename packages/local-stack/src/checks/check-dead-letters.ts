import type { StackDatabase } from './database.ts'

/** Errors that pass: a job may die of them only when all its attempts are spent. */
const PASSING = [
  'database_unavailable',
  'storage_unavailable',
  'workflow_ended',
  'conflict',
  'internal',
  'pairing_problem',
]

interface DeadJob {
  id: string
  code: string
  message: string
  attempt: number
  max_attempts: number
  letters: number
}

interface Letter {
  id: number
  code: string
  message: string
  body: unknown
  job_id: string | null
  state: string | null
}

export interface Deaths {
  /** hashes of files that no merge can read */
  rotten: ReadonlySet<string>
  /** marks in messages that nothing can be done with */
  poison: ReadonlySet<string>
  /** how many deliveries failed, by the log */
  failedDeliveries: number
  /** how many attempts were taken for dead */
  ends: number
  /** how often the catalog was set back, and forgot jobs whose messages were under way */
  setBacks: number
}

/** Ends of attempts in a row that it takes to blame a file for them. */
const MIN_ENDS_OF_BLAME = 4

/**
 * Hold dead jobs and dead letters against what had to die: jobs whose attempts or whose message's deliveries were all
 * spent, and messages that nothing can be done with; and each dead job has its letter. A rotten file kills no job: it
 * alone is in quarantine.
 */
export async function checkDeadLetters(database: StackDatabase, deaths: Deaths): Promise<string[]> {
  const faults: string[] = []
  const dead = await database.query<DeadJob>(`select j.id, j.error_code as code, j.error_message as message, j.attempt,
      j.max_attempts + j.excused_ends as max_attempts,
      (select count(*) from dead_letters l where l.job_id = j.id)::int as letters
    from jobs j where j.state = 'dead'`)
  for (const job of dead) {
    const why = whyDead(job, deaths)
    if (why !== undefined) faults.push(`job ${job.id} is dead of ${job.code} (${job.message}), ${why}`)
    if (job.letters === 0) faults.push(`job ${job.id} is dead of ${job.code} and has no dead letter`)
  }
  const letters = await database.query<Letter>(`select l.id::int, l.code, l.message, l.body, l.job_id, j.state
    from dead_letters l left join jobs j on j.id = l.job_id`)
  for (const letter of letters) {
    const why = whyLetter(letter, deaths)
    if (why !== undefined) faults.push(`dead letter ${letter.id} (${letter.code}: ${letter.message}) ${why}`)
  }
  const innocent = await database.query<{ id: string; content_sha256: string; code: string }>(
    'select id, content_sha256, quarantine_code as code from files where quarantine_code is not null',
  )
  for (const { id, content_sha256, code } of innocent)
    if (!deaths.rotten.has(content_sha256) && !(code === 'merge_killed' && deaths.ends >= MIN_ENDS_OF_BLAME))
      faults.push(`file ${id} is sound and in quarantine for ${code}`)
  return faults
}

/** @returns what is wrong with the death of a job */
function whyDead(job: DeadJob, { failedDeliveries }: Deaths): string | undefined {
  if (job.code === 'delivery_failed') return failedDeliveries > 0 ? undefined : 'but no delivery failed'
  if (!PASSING.includes(job.code)) return 'which nothing here should make a job die of'
  if (job.code === 'internal' && !job.message.includes('injected')) return 'which no fault has made'
  return job.attempt < job.max_attempts ? `after ${job.attempt} of ${job.max_attempts} attempts` : undefined
}

function whyLetter(
  { code, body, job_id, state }: Letter,
  { poison, failedDeliveries, setBacks }: Deaths,
): string | undefined {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  if ([...poison].some((mark) => text.includes(mark))) return undefined
  // the message of a job can be spent while another one starts the job
  if (code === 'delivery_failed') return failedDeliveries > 0 ? undefined : 'but no delivery failed'
  if (job_id === null) return 'is of no message that was sent to fail'
  if (state === null && setBacks > 0) return undefined
  return state === 'dead' ? undefined : `is of a job that is ${state ?? 'unknown'}`
}
