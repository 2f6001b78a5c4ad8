import { type Catalog, FusouError } from '@fusou/catalog'

/** How long an isolate remembers that a user may upload to a dataset; the database decides in the end. */
const REMEMBERED_MS = 30_000
const MAX_REMEMBERED = 5000

/**
 * Refuses uploads to datasets of others before a byte is stored. One call of the database for each user and dataset in
 * 30 seconds: only rights are remembered, so that a refusal ends with its cause.
 */
export class UploadRights {
  readonly #catalog: Catalog
  readonly #now: () => number
  /** when each right was learned, oldest first */
  readonly #known = new Map<string, number>()

  constructor(catalog: Catalog, now: () => number = Date.now) {
    this.#catalog = catalog
    this.#now = now
  }

  /** @throws FusouError `unknown_dataset` */
  async check(datasetId: string, userId: string): Promise<void> {
    const key = `${userId} ${datasetId}`
    const learnedAt = this.#known.get(key)
    if (learnedAt !== undefined && this.#now() - learnedAt < REMEMBERED_MS) return
    const { outcome } = await this.#catalog.checkUpload(datasetId, userId)
    if (outcome !== 'ok') throw notYours(datasetId)
    this.#known.delete(key)
    this.#known.set(key, this.#now())
    if (this.#known.size > MAX_REMEMBERED) this.#known.delete(this.#known.keys().next().value!)
  }
}

/** The same words wherever a dataset is not there or not the caller's. */
export const notYours = (datasetId: string) =>
  new FusouError('unknown_dataset', `no dataset ${datasetId} of yours, and its id is not free; use another`)
