import { type Catalog, FusouError } from '@fusou/catalog'
import type { Caller } from './caller.ts'
import { RememberedCalls } from './remembered-calls.ts'

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
  /** by the hash of the key */
  readonly #callers: RememberedCalls<Caller>

  constructor(catalog: Catalog, now: () => number = Date.now) {
    this.#catalog = catalog
    this.#callers = new RememberedCalls(now)
  }

  /** @throws FusouError `invalid_token`, `token_expired`, `database_unavailable` */
  async identify(key: string): Promise<Caller> {
    const id = FORM.exec(key)?.slice(1).join('-')
    if (id === undefined)
      throw new FusouError('invalid_token', 'a key is fsk_, 32 digits, _ and 43 characters: copy all of it')
    const hash = await sha256(key)
    return this.#callers.call(hash, () => this.#ask(id, hash))
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
