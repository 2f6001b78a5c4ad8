import { KeyId, LimitsOfOwner, Scope, UserId } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { route } from '../../http/operation.ts'

const Me = z
  .object({
    kind: z.enum(['user', 'key', 'operator']),
    userId: UserId.nullable().meta({ description: 'what others need to share a dataset with you' }),
    keyId: KeyId.nullable(),
    scopes: z.array(Scope).nullable().meta({ description: 'of the key; null: no key' }),
  })
  .meta({ id: 'Me' })

export const me = route(
  {
    method: 'get',
    path: '/api/me',
    summary: 'Who the token or key is',
    access: 'reader',
    scope: 'any',
    answers: { 200: { description: 'The caller', schema: Me } },
  },
  (c) => {
    const { caller } = c.var
    const answer: z.infer<typeof Me> =
      caller.kind === 'key'
        ? { kind: 'key', userId: caller.user, keyId: caller.id, scopes: [...caller.scopes] }
        : caller.kind === 'user'
          ? { kind: 'user', userId: caller.id, keyId: null, scopes: null }
          : { kind: 'operator', userId: null, keyId: null, scopes: null }
    return c.json(answer)
  },
)

export const myLimits = route(
  {
    method: 'get',
    path: '/api/me/limits',
    summary: 'What you may use, and what you use',
    access: 'user',
    scope: 'read',
    answers: { 200: { description: 'The limits', schema: LimitsOfOwner.meta({ id: 'LimitsOfOwner' }) } },
  },
  async (c) => {
    const requester = requesterOf(c)
    const owner = requester.kind === 'key' ? requester.user : requester.kind === 'user' ? requester.id : null
    return c.json(await c.var.services.catalog.readLimits(requester, owner))
  },
)
