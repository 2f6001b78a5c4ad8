import { appendFileSync, existsSync, mkdirSync, openAsBlob, readFileSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ApiError, type FusouClient, IN_PARTS_ABOVE_BYTES, type UploadPlace } from '@fusou/client'

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
  /** told of a file that is sent in parts how many of its bytes are stored */
  readonly onProgress: (path: string, storedBytes: number, byteLength: number) => void
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

/**
 * Sends files: small ones several at a time, then those that are sent in parts one after the other. A file that fails does
 * not stop the others, unless they would all fail as it did.
 */
export async function uploadFiles(
  client: FusouClient,
  paths: readonly string[],
  place: Omit<UploadPlace, 'fileName'>,
  { concurrency, journal, onResult, onProgress }: UploadOptions,
): Promise<void> {
  const { files, unreadable } = await findFiles(paths)
  for (const result of unreadable) onResult(result)
  const done = readJournal(journal)
  const [small, large] = [files.filter((file) => !isLarge(file)), files.filter(isLarge)]
  let stopped: string | undefined
  const send = async (queue: Found[]): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const note = JSON.stringify(file)
      if (done.has(note)) {
        onResult({ path: file.path, outcome: 'done before', bytes: file.bytes })
        continue
      }
      const result = stopped === undefined ? await uploadOne(client, file, place, onProgress) : failed(file, stopped)
      if (result.outcome === 'failed') stopped ??= result.fatal
      else appendFileSync(journal, `${note}\n`)
      onResult(result)
    }
  }
  mkdirSync(dirname(journal), { recursive: true, mode: 0o700 })
  await Promise.all(Array.from({ length: concurrency }, () => send(small)))
  await send(large)
}

type Sent = UploadResult & { readonly fatal?: string }
const failed = ({ path, bytes }: Found, error: string): Sent => ({ path, outcome: 'failed', bytes, error })

const isLarge = ({ bytes }: Found) => bytes > IN_PARTS_ABOVE_BYTES

async function uploadOne(
  client: FusouClient,
  file: Found,
  place: Omit<UploadPlace, 'fileName'>,
  onProgress: UploadOptions['onProgress'],
): Promise<Sent> {
  try {
    const fileName = file.path.split(/[\\/]/).at(-1)!.slice(0, 255)
    const bytes = isLarge(file) ? await openAsBlob(file.path) : new Uint8Array(await readFile(file.path))
    const answer = await client.upload(
      bytes,
      { ...place, fileName },
      { onProgress: (stored, byteLength) => onProgress(file.path, stored, byteLength) },
    )
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
