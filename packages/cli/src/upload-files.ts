import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ApiError, type FusouClient, type UploadPlace } from '@fusou/client'

/** The platform takes no larger request. */
const MAX_FILE_BYTES = 100_000_000
/** Refusals that every further file would get too. */
const FATAL = new Set([
  'unauthenticated',
  'invalid_token',
  'token_expired',
  'forbidden',
  'unknown_dataset',
  'quota_exceeded',
])

export interface UploadResult {
  readonly path: string
  readonly outcome: 'stored' | 'duplicate' | 'done before' | 'failed'
  readonly bytes: number
  readonly rows?: number
  readonly error?: string
}

export interface UploadOptions {
  readonly concurrency: number
  /** file in which each upload is noted when it was answered; what it names as it is now is not sent again */
  readonly journal: string
  readonly onResult: (result: UploadResult) => void
}

interface Found {
  readonly path: string
  readonly bytes: number
  readonly changedAt: number
}

/** Files as they are named; of folders every `.parquet` file in them, at any depth, in order of name. */
export async function findFiles(paths: readonly string[]): Promise<{ files: Found[]; unreadable: UploadResult[] }> {
  const files: Found[] = []
  const unreadable: UploadResult[] = []
  const visit = async (path: string, isNamed: boolean): Promise<void> => {
    try {
      const entry = await stat(path)
      if (entry.isDirectory()) {
        for (const name of (await readdir(path)).sort()) await visit(join(path, name), false)
      } else if (isNamed || path.endsWith('.parquet')) {
        files.push({ path, bytes: entry.size, changedAt: entry.mtimeMs })
      }
    } catch (error) {
      unreadable.push({ path, outcome: 'failed', bytes: 0, error: (error as Error).message })
    }
  }
  for (const path of paths) await visit(path, true)
  return { files, unreadable }
}

/** Sends files, several at a time. A file that fails does not stop the others, unless they would all fail as it did. */
export async function uploadFiles(
  client: FusouClient,
  paths: readonly string[],
  place: Omit<UploadPlace, 'fileName'>,
  { concurrency, journal, onResult }: UploadOptions,
): Promise<void> {
  const { files, unreadable } = await findFiles(paths)
  for (const result of unreadable) onResult(result)
  const done = readJournal(journal)
  let next = 0
  let stopped: string | undefined
  const send = async (): Promise<void> => {
    while (next < files.length) {
      const file = files[next++]!
      const note = JSON.stringify(file)
      if (done.has(note)) {
        onResult({ path: file.path, outcome: 'done before', bytes: file.bytes })
        continue
      }
      const result = stopped === undefined ? await uploadOne(client, file, place) : failed(file, stopped)
      if (result.outcome === 'failed') stopped ??= result.fatal
      else appendFileSync(journal, `${note}\n`)
      onResult(result)
    }
  }
  mkdirSync(dirname(journal), { recursive: true, mode: 0o700 })
  await Promise.all(Array.from({ length: concurrency }, send))
}

type Sent = UploadResult & { readonly fatal?: string }
const failed = ({ path, bytes }: Found, error: string): Sent => ({ path, outcome: 'failed', bytes, error })

async function uploadOne(client: FusouClient, file: Found, place: Omit<UploadPlace, 'fileName'>): Promise<Sent> {
  if (file.bytes > MAX_FILE_BYTES) return failed(file, `${file.bytes} bytes, where 100 MB are taken in one request`)
  try {
    const fileName = file.path.split(/[\\/]/).at(-1)!.slice(0, 255)
    const answer = await client.upload(new Uint8Array(await readFile(file.path)), { ...place, fileName })
    const outcome = answer.duplicate ? 'duplicate' : 'stored'
    return { path: file.path, outcome, bytes: file.bytes, rows: answer.rows }
  } catch (error) {
    if (!(error instanceof ApiError)) return failed(file, (error as Error).message)
    const text = `${error.code}: ${error.message}`
    return { ...failed(file, text), ...(FATAL.has(error.code) && { fatal: text }) }
  }
}

function readJournal(path: string): Set<string> {
  return new Set(existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [])
}
