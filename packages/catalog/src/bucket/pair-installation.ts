import type { Catalog } from '../client/catalog.ts'
import { FusouError } from '../fusou-error.ts'
import { log } from '../log.ts'
import { type BucketLook, InstallationObject, type PairingProblem } from '../records/installation.ts'
import { INSTALLATION_KEY, objectOf } from './object-keys.ts'

/** A bucket with more objects than one page is never claimed without a person. */
const FIRST_PAGE_OBJECTS = 1000
/** Another isolate may write between two looks; it does so once. */
const MAX_LOOKS = 4
const CONTENT_TYPE = { httpMetadata: { contentType: 'application/json' } }

/** The part of an R2 bucket that pairing needs. */
export interface PairingBucket {
  get(key: string): Promise<{ etag: string; text(): Promise<string> } | null>
  put(key: string, value: string, options: object): Promise<object | null>
  list(options: { limit: number }): Promise<{ objects: { key: string; uploaded: Date }[]; truncated: boolean }>
}

export type Pairing = { paired: true; stamp: number } | { paired: false; problem: PairingProblem }

/** The installation that the bucket names, and the etag under which it may be changed. */
export async function readInstallation(bucket: PairingBucket): Promise<{ look: BucketLook; etag: string | undefined }> {
  const object = await storing(bucket.get(INSTALLATION_KEY))
  if (object) {
    const parsed = InstallationObject.safeParse(parseJson(await storing(object.text())))
    // An object that cannot be read is somebody else's: its id matches none.
    const look = parsed.data ?? { id: '00000000-0000-0000-0000-000000000000', stamp: 0 }
    return { look, etag: object.etag }
  }
  const { objects: listed, truncated } = await storing(bucket.list({ limit: FIRST_PAGE_OBJECTS }))
  const objects = listed.filter(({ key }) => objectOf(key) !== undefined)
  const times = objects.map(({ uploaded }) => uploaded.getTime())
  const oldestAt = times.length === 0 ? null : new Date(Math.min(...times)).toISOString()
  return { look: { objects: objects.length, truncated, oldestAt }, etag: undefined }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Write the id and stamp if the bucket still is as it was read.
 * @returns whether it was written; else another isolate was faster
 */
export async function writeInstallation(
  bucket: PairingBucket,
  { id, stamp }: { id: string; stamp: number },
  etag: string | undefined,
): Promise<boolean> {
  const onlyIf = etag === undefined ? new Headers({ 'If-None-Match': '*' }) : { etagMatches: etag }
  const body = JSON.stringify({ id, stamp })
  const written = await storing(bucket.put(INSTALLATION_KEY, body, { ...CONTENT_TYPE, onlyIf }))
  return written !== null
}

/**
 * Compare bucket and catalog, and raise the stamp of both when a minute has passed. To be asked before anything is
 * deleted or a merge is planned. A new catalog and an empty bucket are paired here, without a person.
 * @throws FusouError `storage_unavailable`, and those of the database
 */
export async function pairInstallation(bucket: PairingBucket, catalog: Catalog): Promise<Pairing> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const read = await readInstallation(bucket)
    const checked = await catalog.checkInstallation(read.look)
    if (checked.outcome === 'problem') {
      log('error', 'installation_problem', { problem: checked.problem, bucket: read.look })
      return { paired: false, problem: checked.problem }
    }
    if (checked.outcome === 'paired') {
      // A bucket that another isolate has raised since is as good.
      if (checked.write) await writeInstallation(bucket, checked, read.etag)
      return { paired: true, stamp: checked.stamp }
    }
    const claimed = await writeInstallation(bucket, checked, undefined)
    if (claimed) log('info', 'bucket_claimed', { installation: checked.id })
  }
  throw new FusouError('storage_unavailable', 'the installation object of the bucket keeps changing')
}

async function storing<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'the bucket did not tell its installation; try again', { cause })
  }
}
