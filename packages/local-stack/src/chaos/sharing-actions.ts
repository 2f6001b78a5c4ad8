import { z } from 'zod'
import type { Ledger } from '../checks/ledger.ts'
import { type Answer, type ApiCaller, type Call, succeeded } from '../client/api-caller.ts'
import type { SeededRandom } from '../support/seeded-random.ts'
import type { UploadActions } from './upload-actions.ts'
import { DATASETS, LONG_RETENTION_SECONDS, TABLES } from './world.ts'

/** Deletions are put back with patience: what is not back at the end is taken for lost. */
const PATIENT_TRIES = 20
/** Shared and deleted; nothing else of the chaos happens to it. */
const SHARED = { id: 'chaos-shared', owner: 0, shortLived: false, halfRotten: false }

const NewKey = z.object({ id: z.uuid(), key: z.string() })
const Deleted = z.object({ deletion: z.object({ id: z.int() }).nullable() })
const Deletions = z.object({ deletions: z.array(z.object({ id: z.int(), restoredAt: z.string().nullable() })) })

/** Actions of owners with keys, roles and settings, and of those who delete and restore. */
export class SharingActions {
  readonly #owner: ApiCaller
  /** gets roles and loses them */
  readonly #friend: ApiCaller
  readonly #friendId: string
  readonly #withKey: (key: string) => ApiCaller
  readonly #users: readonly ApiCaller[]
  readonly #uploads: UploadActions
  readonly #ledger: Ledger
  #key: ApiCaller | undefined
  #uploading = 0
  #isDeleting = false

  constructor(parts: {
    users: readonly ApiCaller[]
    friend: ApiCaller
    friendId: string
    withKey: (key: string) => ApiCaller
    uploads: UploadActions
    ledger: Ledger
  }) {
    this.#owner = parts.users[SHARED.owner]!
    this.#friend = parts.friend
    this.#friendId = parts.friendId
    this.#withKey = parts.withKey
    this.#users = parts.users
    this.#uploads = parts.uploads
    this.#ledger = parts.ledger
  }

  /** Before the storm: the dataset, its retention, and a key that uploads to it. */
  async begin(random: SeededRandom): Promise<void> {
    this.#ledger.shared.add(SHARED.id)
    // with the dataset its queued jobs go
    this.#ledger.deleted.add(SHARED.id)
    await this.#uploads.found(SHARED, random)
    await this.#insist('settings', {
      method: 'PATCH',
      path: `/api/datasets/${SHARED.id}`,
      json: { retentionSeconds: LONG_RETENTION_SECONDS, mergeMinFiles: 3, mergeMaxAgeSeconds: 60 },
    })
    const json = { name: 'a device', scopes: ['upload'], datasets: [`${SHARED.id}*`] }
    const made = await this.#insist('make key', { method: 'POST', path: '/api/keys', json })
    this.#key = this.#withKey(NewKey.parse(made.body).key)
  }

  uploadByKey(random: SeededRandom): Promise<void> {
    return this.#beside(() => this.#uploads.by(this.#key!, SHARED, 'accept', random))
  }

  /** Whether the friend may upload at this moment is not known here. */
  uploadByFriend(random: SeededRandom): Promise<void> {
    return this.#beside(() => this.#uploads.by(this.#friend, SHARED, 'either', random))
  }

  /** Nothing is deleted while an upload is repeated: it would come again after the deletion, which is its right. */
  async #beside(upload: () => Promise<void>): Promise<void> {
    if (this.#isDeleting) return
    this.#uploading += 1
    await upload()
    this.#uploading -= 1
  }

  async changeRole(random: SeededRandom): Promise<void> {
    const path = `/api/datasets/${SHARED.id}/grants/${this.#friendId}`
    const role = random.pick(['reader', 'writer', 'manager', undefined])
    await this.#ask('role', role === undefined ? { method: 'DELETE', path } : { method: 'PUT', path, json: { role } })
  }

  async changeTable(random: SeededRandom): Promise<void> {
    const dataset = random.pick([SHARED, ...DATASETS])
    const json = random.pick<object>([
      { sortBy: [{ column: 'row', descending: random.next() < 0.5 }] },
      { sortBy: null },
      { codec: random.pick(['zstd', 'snappy', 'gzip', null]) },
      { schema: random.pick(['union', null]) },
      { rowGroupRows: random.pick([1000, 100_000, null]) },
    ])
    const path = `/api/datasets/${dataset.id}/tables/${random.pick(TABLES)}`
    await this.#ask('table settings', { method: 'PATCH', path, json }, this.#users[dataset.owner])
  }

  async rewrite(random: SeededRandom): Promise<void> {
    const dataset = random.pick([SHARED, ...DATASETS])
    const json = { datasetId: dataset.id, rewrite: true }
    const call: Call = { method: 'POST', path: '/api/compaction/sanitize-state', json }
    const answer = await this.#ask('rewrite', call, this.#users[dataset.owner])
    this.#ledger.noteJob(answer.body)
  }

  /** Deletes a part of the dataset, and puts it back at once or at the end. */
  async deleteAndRestore(random: SeededRandom): Promise<void> {
    if (this.#isDeleting || this.#uploading > 0) return
    this.#isDeleting = true
    const path = `/api/datasets/${SHARED.id}${random.pick(['', `/tables/${TABLES[0]}`, `/tables/${TABLES[1]}/periods/0`])}`
    const answer = await this.#ask('delete', { method: 'DELETE', path })
    const deletion = succeeded(answer) ? Deleted.parse(answer.body).deletion : null
    if (deletion !== null && random.next() < 0.7) await this.#restore(deletion.id)
    this.#isDeleting = false
  }

  /** After the storm: what is still deleted comes back, the newest first. */
  async settle(): Promise<void> {
    const listed = await this.#insist('list deletions', { path: `/api/datasets/${SHARED.id}/deletions?limit=200` })
    for (const { id, restoredAt } of Deletions.parse(listed.body).deletions) {
      if (restoredAt !== null) continue
      const { status, code } = await this.#restore(id, PATIENT_TRIES)
      if (status !== 200) this.#ledger.faults.push(`deletion ${id} was not restored: ${status} ${code}`)
    }
  }

  async #restore(id: number, tries = 1): Promise<Answer> {
    const path = `/api/datasets/${SHARED.id}/deletions/${id}/restore`
    const answer = await this.#owner.insist({ method: 'POST', path }, tries)
    this.#ledger.note('restore', answer.status)
    return answer
  }

  async #ask(what: string, call: Call, caller = this.#owner): Promise<Answer> {
    const answer = await caller.call(call)
    this.#ledger.note(what, answer.status)
    return answer
  }

  async #insist(what: string, call: Call): Promise<Answer> {
    const answer = await this.#owner.insist(call, PATIENT_TRIES)
    if (!succeeded(answer)) throw new Error(`${what}: ${answer.status} ${answer.code}`)
    return answer
  }
}
