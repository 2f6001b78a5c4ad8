import { z } from 'zod'
import { DatasetId } from './names.ts'

export const UserId = z.uuid('the id of a user is a UUID')
export const KeyId = z.uuid('the id of a key is a UUID')

/** The role of a grant: a reader reads, a writer also uploads, a manager does all but hand the dataset over. */
export const Role = z.enum(['reader', 'writer', 'manager'])
export type Role = z.infer<typeof Role>

/** A right that a key may use, each by itself; never more than the user who made it may do. */
export const Scope = z.enum(['read', 'upload', 'manage'])
export type Scope = z.infer<typeof Scope>

export const DatasetPattern = z
  .string()
  .regex(
    /^([A-Za-z0-9][A-Za-z0-9._-]{0,127}|[A-Za-z0-9][A-Za-z0-9._-]{0,126}\*|\*)$/,
    'a pattern is the id of a dataset, or the beginning of ids with * at its end',
  )

export const AccessKey = z
  .object({
    id: KeyId,
    name: z.string(),
    hint: z.string().meta({ description: 'the first characters of the key' }),
    scopes: z.array(Scope),
    datasets: z.array(z.string()).nullable().meta({ description: 'patterns of dataset ids; null: every dataset' }),
    createdAt: z.string(),
    expiresAt: z.string().nullable(),
    lastUsedAt: z.string().nullable().meta({ description: 'to the hour' }),
    revokedAt: z.string().nullable(),
    state: z.enum(['active', 'expired', 'revoked']),
  })
  .meta({ id: 'AccessKey' })
export type AccessKey = z.infer<typeof AccessKey>

export const Grant = z
  .object({
    userId: UserId,
    role: Role,
    grantedAt: z.string(),
    grantedBy: UserId.nullable().meta({ description: 'null: an operator' }),
  })
  .meta({ id: 'Grant' })

export const AuditEntry = z
  .object({
    id: z.int(),
    at: z.string(),
    actor: z.enum(['operator', 'user', 'key']),
    userId: UserId.nullable().meta({ description: 'who acted, also by a key; null for an operator' }),
    keyId: KeyId.nullable(),
    address: z.string().nullable().meta({ description: 'from where' }),
    requestId: z.string().nullable(),
    action: z.string().meta({ description: 'such as dataset.grant' }),
    ownerId: UserId.nullable().meta({ description: 'whose dataset, key or account it is about' }),
    datasetId: DatasetId.nullable(),
    target: z.string().nullable().meta({ description: 'the id of what was changed, if it is not the dataset' }),
    before: z.unknown(),
    after: z.unknown(),
  })
  .meta({ id: 'AuditEntry' })
export type AuditEntry = z.infer<typeof AuditEntry>
