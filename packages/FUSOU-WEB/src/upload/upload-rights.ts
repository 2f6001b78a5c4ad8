import { type Catalog, FusouError, type Requester } from '@fusou/catalog'

/** How long an isolate remembers that a caller may upload to a dataset; the database decides in the end. */
const REMEMBERED_MS = 30_000
const MAX_REMEMBERED = 5000

/**
 * Refuses uploads to datasets of others before a byte is stored. One call of the database for each caller and dataset in
 * 30 seconds: only rights on datasets that exist are remembered, so that a refusal ends with its cause.
 */
export class UploadRights {
  readonly #catalog: Catalog
  readonly #now: () => number
  /** oldest first */
  readonly #known = new Map<string, { learnedAt: number; ownerId: string }>()

  constructor(catalog: Catalog, now: () => number = Date.now) {
    this.#catalog = catalog
    this.#now = now
  }

  /**
   * @returns who owns the dataset, or will own it if the upload makes it
   * @throws FusouError `unknown_dataset`, `forbidden`
   */
  async check(datasetId: string, requester: Requester): Promise<{ ownerId: string; isNew: boolean }> {
    const key = `${requester.kind === 'operator' ? 'operator' : requester.id} ${datasetId}`
    const known = this.#known.get(key)
    if (known !== undefined && this.#now() - known.learnedAt < REMEMBERED_MS)
      return { ownerId: known.ownerId, isNew: false }
    const checked = await this.#catalog.checkUpload(datasetId, requester)
    if (checked.outcome !== 'ok') throw notYours(datasetId)
    const { ownerId, isNew } = checked
    if (isNew) return { ownerId, isNew }
    this.#known.delete(key)
    this.#known.set(key, { learnedAt: this.#now(), ownerId })
    if (this.#known.size > MAX_REMEMBERED) this.#known.delete(this.#known.keys().next().value!)
    return { ownerId, isNew }
  }
}

/** The same words wherever a dataset is not there or not the caller's. */
export const notYours = (datasetId: string) =>
  new FusouError('unknown_dataset', `no dataset ${datasetId} of yours, and its id is not free; use another`)
