import { AccessKey, DatasetPattern, FusouError, KeyId, Scope } from '@fusou/catalog'
import { z } from 'zod'
import { makeKey } from '../../auth/access-key.ts'
import { requesterOf } from '../../auth/caller.ts'
import { cursor, Instant } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'

const KeyRequest = z
  .object({
    name: z.string().trim().min(1).max(100).meta({ description: 'what it is for, such as the device that holds it' }),
    scopes: z
      .array(Scope)
      .min(1)
      .max(3)
      .refine((scopes) => new Set(scopes).size === scopes.length, 'names a scope twice')
      .meta({ description: 'what it may do, each by itself' }),
    datasets: z
      .array(DatasetPattern)
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'ids of datasets, or beginnings of ids that end in *; left out: every dataset of yours' }),
    expiresAt: Instant.refine((at) => Date.parse(at) > Date.now(), 'is over already')
      .optional()
      .meta({ description: 'left out: it does not expire' }),
  })
  .meta({ id: 'KeyRequest' })
const KeyAnswer = AccessKey.extend({
  key: z.string().meta({ description: 'to be sent as Authorization: Bearer; it is shown only now' }),
}).meta({ id: 'NewAccessKey' })

/** What clients of Delta Sharing read from a file. */
const SharingProfile = z
  .object({
    shareCredentialsVersion: z.literal(1),
    endpoint: z.url(),
    bearerToken: z.string().meta({ description: 'the key; it is shown only now' }),
    expirationTime: z.string().optional(),
  })
  .meta({ id: 'DeltaSharingProfile' })

export const createKey = route(
  {
    method: 'post',
    path: '/api/keys',
    summary: 'Make a key for a program: it acts for you, within its scopes and datasets, until it is revoked',
    access: 'user',
    query: z.object({
      as: filled(z.enum(['key', 'delta-sharing-profile']).default('key')).meta({
        description: 'delta-sharing-profile: the profile file of a key that may read, and nothing else',
      }),
    }),
    body: KeyRequest,
    answers: {
      201: {
        description: 'The key, shown once; Location is where it is revoked',
        schema: z.union([KeyAnswer, SharingProfile]).meta({ id: 'CreatedKey' }),
      },
    },
    errors: ['quota_exceeded'],
  },
  async (c, { query, body }) => {
    const isProfile = query.as === 'delta-sharing-profile'
    // a profile is handed to others
    if (isProfile && String(body.scopes) !== 'read')
      throw new FusouError('invalid_request', 'in the body: scopes: a profile reads, and nothing else: give ["read"]')
    const { key, ...made } = await makeKey()
    const created = await c.var.services.catalog.createKey(requesterOf(c), {
      ...made,
      name: body.name,
      scopes: body.scopes,
      datasets: body.datasets ?? null,
      expiresAt: body.expiresAt ?? null,
    })
    if (created.outcome === 'too_many_keys')
      throw new FusouError('quota_exceeded', `you have ${created.max} keys that are active; revoke some`)
    c.header('Cache-Control', 'no-store')
    c.header('Location', `/api/keys/${created.key.id}`)
    if (isProfile) {
      const profile: z.infer<typeof SharingProfile> = {
        shareCredentialsVersion: 1,
        endpoint: `${new URL(c.req.url).origin}/api/delta-sharing`,
        bearerToken: key,
        ...(body.expiresAt !== undefined && { expirationTime: new Date(body.expiresAt).toISOString() }),
      }
      return c.json(profile, 201)
    }
    const answer: z.infer<typeof KeyAnswer> = { ...created.key, key }
    return c.json(answer, 201)
  },
)

const KeysCursor = cursor(z.strictObject({ createdAt: Instant, id: KeyId }))
const KeysPage = z.object({ keys: z.array(AccessKey), nextCursor: z.string().nullable() }).meta({ id: 'KeysPage' })

export const listKeys = route(
  {
    method: 'get',
    path: '/api/keys',
    summary: 'Your keys, newest first, also those that were revoked or have expired; never the keys themselves',
    access: 'user',
    query: z.object({ cursor: filled(KeysCursor.schema.optional()), limit: pageSize(100, 1000) }),
    answers: { 200: { description: 'One page', schema: KeysPage } },
  },
  async (c, { query }) => {
    const page = { before: query.cursor, limit: query.limit + 1 }
    const keys = await c.var.services.catalog.listKeys(requesterOf(c), page)
    const shown = keys.slice(0, query.limit)
    const last = keys.length > query.limit ? shown.at(-1) : undefined
    const answer: z.infer<typeof KeysPage> = {
      keys: shown,
      nextCursor: last ? KeysCursor.encode({ createdAt: last.createdAt, id: last.id }) : null,
    }
    return c.json(answer)
  },
)

export const revokeKey = route(
  {
    method: 'delete',
    path: '/api/keys/:id',
    summary: 'Revoke a key: the database refuses it at once, the edge within a minute',
    access: 'reader',
    params: z.object({ id: KeyId }),
    answers: { 200: { description: 'It is revoked; repeating the call says so again', schema: AccessKey } },
    errors: ['unknown_key'],
  },
  async (c, { params: { id } }) => {
    const revoked = await c.var.services.catalog.revokeKey(requesterOf(c), id)
    if (revoked.outcome === 'unknown_key') throw new FusouError('unknown_key', `no key ${id} of yours`)
    return c.json(revoked.key)
  },
)
