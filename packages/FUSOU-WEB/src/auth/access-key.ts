import { type Catalog, FusouError } from '@fusou/catalog'
import type { Caller } from './caller.ts'

/** How long an isolate takes a key for what it was when the database was asked. A revoked key is refused within this time. */
const REMEMBERED_MS = 60_000
const MAX_REMEMBERED = 5000
/** 256 bits. */
const SECRET_BYTES = 32
const FORM = /^fsk_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/

export const isAccessKey = (token: string): boolean => token.startsWith('fsk_')

export interface NewKey {
  readonly id: string
  /** the secret itself; shown once */
  readonly key: string
  readonly hint: string
  readonly secretSha256: string
}

/** `fsk_` + id + `_` + 256 random bits. */
export async function makeKey(): Promise<NewKey> {
  const id = crypto.randomUUID()
  const secret = crypto
    .getRandomValues(new Uint8Array(SECRET_BYTES))
    .toBase64({ alphabet: 'base64url', omitPadding: true })
  const key = `fsk_${id.replaceAll('-', '')}_${secret}`
  return { id, key, hint: key.slice(0, 12), secretSha256: await sha256(key) }
}

/** Asks the database about each key once a minute, whatever the number of requests. */
export class KeyAuthenticator {
  readonly #catalog: Catalog
  readonly #now: () => number
  /** by the hash of the key, oldest first; a promise, so that requests at the same time share one call */
  readonly #known = new Map<string, { at: number; caller: Promise<Caller> }>()

  constructor(catalog: Catalog, now: () => number = Date.now) {
    this.#catalog = catalog
    this.#now = now
  }

  /** @throws FusouError `invalid_token`, `token_expired`, `database_unavailable` */
  async identify(key: string): Promise<Caller> {
    const id = FORM.exec(key)?.slice(1).join('-')
    if (id === undefined)
      throw new FusouError('invalid_token', 'a key is fsk_, 32 digits, _ and 43 characters: copy all of it')
    const hash = await sha256(key)
    const known = this.#known.get(hash)
    if (known !== undefined && this.#now() - known.at < REMEMBERED_MS) return known.caller
    const caller = this.#ask(id, hash)
    this.#known.delete(hash)
    this.#known.set(hash, { at: this.#now(), caller })
    if (this.#known.size > MAX_REMEMBERED) this.#known.delete(this.#known.keys().next().value!)
    // only what was found out is remembered: a key may be made in the next moment, and the database may come back
    caller.catch(() => this.#known.delete(hash))
    return caller
  }

  async #ask(id: string, hash: string): Promise<Caller> {
    const answer = await this.#catalog.authenticateKey(id, hash)
    switch (answer.outcome) {
      case 'valid':
        return { kind: 'key', id, user: answer.userId, scopes: answer.scopes }
      case 'expired':
        throw new FusouError('token_expired', 'this key has expired; make another')
      case 'revoked':
        throw new FusouError('invalid_token', 'this key was revoked; make another')
      case 'unknown_key':
        throw new FusouError('invalid_token', 'there is no such key')
    }
  }
}

async function sha256(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toHex()
}
