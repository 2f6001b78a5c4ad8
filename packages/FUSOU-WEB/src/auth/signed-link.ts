import { type Catalog, FusouError, KeyId } from '@fusou/catalog'
import type { Caller } from './caller.ts'
import { RememberedCalls } from './remembered-calls.ts'

/** The parameters that make an address a link. */
const LINK_PARAMS: readonly string[] = ['key', 'expires', 'signature']
const SECONDS = /^[1-9]\d{0,11}$/

export interface LinkKey {
  readonly keyId: string
  /** hexadecimal; it signs in place of the key itself, which nobody stores */
  readonly secretSha256: string
}

/** Whether an address claims to be signed. */
export const isSigned = (url: URL): boolean => url.searchParams.has('signature')

/** The parameters of an address without those that make it a link. */
export const unsignedParams = (url: URL): [string, string][] =>
  [...url.searchParams].filter(([name]) => !LINK_PARAMS.includes(name))

/**
 * An address that anybody may read until it expires, as the user of the key may. It is bound to its path and parameters,
 * so to one table or file; not to a host, and not to how clients write its path.
 */
export async function signLink(url: URL, { keyId, secretSha256 }: LinkKey, expiresAt: Date): Promise<URL> {
  const expires = String(Math.floor(expiresAt.getTime() / 1000))
  return sign(url, { keyId, key: await hmacKey(secretSha256), expires })
}

async function sign(
  url: URL,
  { keyId, key, expires }: { keyId: string; key: CryptoKey; expires: string },
): Promise<URL> {
  const signature = await crypto.subtle.sign('HMAC', key, textOf(url, keyId, expires))
  const signed = new URL(url)
  signed.searchParams.set('key', keyId)
  signed.searchParams.set('expires', expires)
  signed.searchParams.set('signature', new Uint8Array(signature).toBase64({ alphabet: 'base64url', omitPadding: true }))
  return signed
}

/** Checks links; asks the database about each key once a minute. What a link may read is asked at every call. */
export class LinkAuthenticator {
  readonly #catalog: Catalog
  readonly #keys: RememberedCalls<{ caller: Caller; key: CryptoKey }>

  constructor(catalog: Catalog, now: () => number = Date.now) {
    this.#catalog = catalog
    this.#keys = new RememberedCalls(now)
  }

  /** @throws FusouError `invalid_token`, `token_expired`, `database_unavailable` */
  async identify(url: URL): Promise<Caller> {
    const [keyId, expires, signature] = linkParams(url)
    if (!KeyId.safeParse(keyId).success || !SECONDS.test(expires)) throw broken()
    const { caller, key } = await this.#keys.call(keyId, () => this.#ask(keyId))
    const isSound = await crypto.subtle.verify('HMAC', key, bytesOf(signature), textOf(url, keyId, expires))
    if (!isSound) throw broken()
    if (Number(expires) * 1000 <= Date.now())
      throw new FusouError('token_expired', 'this link has expired; ask for another')
    return caller
  }

  /**
   * Another path, signed with the key and for the time of a link that was identified.
   * @returns path and query
   */
  async signLike(link: URL, path: string): Promise<string> {
    const [keyId, expires] = linkParams(link)
    const { key } = await this.#keys.call(keyId, () => this.#ask(keyId))
    const { pathname, search } = await sign(new URL(path, link.origin), { keyId, key, expires })
    return `${pathname}${search}`
  }

  async #ask(keyId: string): Promise<{ caller: Caller; key: CryptoKey }> {
    const answer = await this.#catalog.readLinkKey(keyId)
    switch (answer.outcome) {
      case 'valid': {
        const { userId: user, scopes, secretSha256 } = answer
        return { caller: { kind: 'key', id: keyId, user, scopes }, key: await hmacKey(secretSha256) }
      }
      case 'expired':
        throw new FusouError('token_expired', 'the key that signed this link has expired; ask for another link')
      case 'revoked':
        throw new FusouError('invalid_token', 'the key that signed this link was revoked; ask for another link')
      case 'unknown_key':
        throw broken()
    }
  }
}

const broken = () =>
  new FusouError('invalid_token', 'this link was changed or cut off: copy all of it, or ask for another')

const linkParams = (url: URL) =>
  LINK_PARAMS.map((name) => only(url, name)) as [key: string, expires: string, signature: string]

/** @throws FusouError `invalid_token` where a parameter is missing or repeated */
function only(url: URL, name: string): string {
  const [value, ...more] = url.searchParams.getAll(name)
  if (value === undefined || more.length > 0) throw broken()
  return value
}

function hmacKey(secretSha256: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return crypto.subtle.importKey('raw', Uint8Array.fromHex(secretSha256), algorithm, false, ['sign', 'verify'])
}

/** What is signed: each part on a line of its own, none of which can hold a line break. */
function textOf(url: URL, keyId: string, expires: string): Uint8Array {
  const params = new URLSearchParams(unsignedParams(url))
  params.sort()
  const lines = ['fusou-link-1', encodeURI(pathOf(url)), params.toString(), keyId, expires]
  return new TextEncoder().encode(lines.join('\n'))
}

/** Clients differ in which characters of a path they escape. */
function pathOf(url: URL): string {
  try {
    return decodeURIComponent(url.pathname)
  } catch {
    throw broken()
  }
}

function bytesOf(signature: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(signature, { alphabet: 'base64url' })
  } catch {
    throw broken()
  }
}
