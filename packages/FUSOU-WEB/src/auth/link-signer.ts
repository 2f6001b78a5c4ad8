import { FusouError } from '@fusou/catalog'
import type { Context } from 'hono'
import type { AppEnv } from '../bindings.ts'
import { makeKey } from './access-key.ts'
import { requesterOf } from './caller.ts'
import { type LinkKey, signLink } from './signed-link.ts'

/** Signs links to what the caller may read of one dataset. */
export interface LinkSigner {
  readonly keyId: string
  sign(path: string): Promise<string>
}

/**
 * Links are signed with the key of the caller. A user who calls without one gets a key for the links of this dataset,
 * made the first time, which is listed and revoked like any other.
 * @throws FusouError `unknown_dataset`, `forbidden` for an operator, who is no user
 */
export async function linkSigner(c: Context<AppEnv>, datasetId: string, expiresAt: Date): Promise<LinkSigner> {
  const { id, secretSha256 } = await makeKey()
  const answer = await c.var.services.catalog.linkKey(datasetId, requesterOf(c), { id, secretSha256 })
  if (answer.outcome === 'unknown_dataset')
    throw new FusouError('unknown_dataset', `no dataset ${datasetId} that you may see`)
  const key: LinkKey = answer
  const { origin } = new URL(c.req.url)
  return { keyId: key.keyId, sign: async (path) => (await signLink(new URL(path, origin), key, expiresAt)).href }
}
