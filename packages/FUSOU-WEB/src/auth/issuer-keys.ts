import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose'

/** Refetches for keys that are not in the set: so many at once, and one more each `REFETCH_EVERY_MS`. */
const MAX_REFETCHES = 5
const REFETCH_EVERY_MS = 5_000
/** The same unknown key is asked for again after this, so that one broken client does not use up the refetches. */
const UNKNOWN_KEY_MS = 5_000
const MAX_UNKNOWN_KEYS = 100

/**
 * The public keys of an issuer, fetched when first needed and each ten minutes. A token that names a key which is not
 * among them has the set fetched again at once, since a new signing key is in use from one second to the next. Made-up
 * key ids cannot have the issuer asked more often than once each `REFETCH_EVERY_MS` on average.
 */
export function issuerKeys(url: URL, now: () => number = Date.now): JWTVerifyGetKey {
  // jose's own refetch has one pause for all keys, which would refuse a new key for that long.
  const keys = createRemoteJWKSet(url, { cooldownDuration: Number.POSITIVE_INFINITY })
  const unknown = new Map<string, number>()
  let refetches = MAX_REFETCHES
  let refilledAt = now()

  function mayRefetch(keyId: string): boolean {
    const time = now()
    const refills = Math.floor((time - refilledAt) / REFETCH_EVERY_MS)
    refetches = Math.min(MAX_REFETCHES, refetches + refills)
    refilledAt += refills * REFETCH_EVERY_MS
    const seenAt = unknown.get(keyId)
    if (refetches === 0 || (seenAt !== undefined && time - seenAt < UNKNOWN_KEY_MS)) return false
    refetches -= 1
    unknown.delete(keyId)
    if (unknown.size >= MAX_UNKNOWN_KEYS) unknown.delete(unknown.keys().next().value!)
    unknown.set(keyId, time)
    return true
  }

  return async (header, token) => {
    const fetchedBefore = keys.fresh
    try {
      return await keys(header, token)
    } catch (error) {
      // keys that were fetched for this token are as new as can be
      if (!(error instanceof errors.JWKSNoMatchingKey) || !fetchedBefore || !mayRefetch(header.kid ?? '')) throw error
    }
    await keys.reload()
    return keys(header, token)
  }
}
