import { randomUUID } from 'node:crypto'
import { asUser, type DeclaredUpload, type Requester, type UploadedObject } from '@fusou/catalog'
import { expect } from 'vitest'
import { anObject, DataSetUnderTest, SENDER, sha256 } from './data-set-under-test.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'

export const PART_BYTES = 100

/** Hashes of parts stand for their bytes. */
export const partOf = (number: number, content = `part ${number}`) => ({
  number,
  etag: randomUUID(),
  sha256: sha256(content),
})

/** An upload of 250 bytes, so of three parts, driven as the routes drive one. */
export class UploadUnderTest {
  readonly dataset: DataSetUnderTest
  readonly requester: Requester
  readonly declared: DeclaredUpload
  readonly r2Key = `datasets/any/uploads/${randomUUID()}`
  uploadId = ''
  readonly #database: EmbeddedDatabase

  constructor(
    database: EmbeddedDatabase,
    dataset = new DataSetUnderTest(database.catalog),
    content: string = randomUUID(),
  ) {
    this.#database = database
    this.dataset = dataset
    this.requester = asUser(dataset.owner)
    this.declared = {
      datasetId: dataset.id,
      table: 'ships',
      periodTag: '0',
      fileName: 'f.parquet',
      byteLength: 250,
      sha256: sha256(content),
    }
  }

  get #catalog() {
    return this.#database.catalog
  }

  async open() {
    const bucket = { r2Key: this.r2Key, bucketUploadId: randomUUID(), partBytes: PART_BYTES }
    const opened = await this.#catalog.openUpload(this.requester, this.declared, { bucket })
    if ('upload' in opened) this.uploadId = opened.upload.uploadId
    return opened
  }

  async send(...numbers: number[]) {
    for (const number of numbers) {
      expect(await this.#catalog.beginPart(this.uploadId, this.requester, number, undefined)).toMatchObject({
        outcome: 'ok',
      })
      expect(await this.#catalog.notePart(this.uploadId, this.requester, partOf(number))).toEqual({ outcome: 'ok' })
    }
  }

  async openAndSendAll() {
    await this.open()
    await this.send(3, 1, 2)
    return this
  }

  get object(): UploadedObject {
    const [slice] = anObject([{ length: 250 }]).slices
    return { r2Key: this.r2Key, slices: [{ ...slice!, sha256: this.declared.sha256 }] }
  }

  complete(how: { brokenCopies?: { fileId: string; r2Key: string }[] } = {}) {
    const { uploadId, requester, object } = this
    return this.#catalog.completeUpload({ uploadId, requester, object, sender: SENDER, ...how })
  }

  async read() {
    const found = await this.#catalog.readUpload(this.uploadId, this.requester)
    return found.outcome === 'ok' ? found.upload : undefined
  }

  begin = () => this.#catalog.beginCompletion(this.uploadId, this.requester)
  abort = () => this.#catalog.abortUpload(this.uploadId, this.requester)
  refuse = () =>
    this.#catalog.refuseUpload(this.uploadId, this.requester, { code: 'invalid_parquet', detail: 'no footer' })
  isGarbage = async () => (await this.#database.query('select 1 from garbage where r2_key = $1', this.r2Key)).length > 0
  isOrphan = async () => (await this.#catalog.listOrphans([this.r2Key])).length > 0
}
