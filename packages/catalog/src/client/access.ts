import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import { AccessKey, AuditEntry, Grant, KeyId, Role, Scope, UserId } from '../records/access.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcome, outcomes } from './outcomes.ts'

/** The answer of the database about a key that a program presents. */
export type AuthenticatedKey = Awaited<ReturnType<ReturnType<typeof accessCalls>['authenticateKey']>>

/** Calls of the database about keys, grants and the audit. */
export const accessCalls = (database: Database) => ({
  /** @param key.id chosen by the caller, so that a repeated call makes one key */
  createKey(
    requester: Requester,
    key: {
      id: string
      name: string
      hint: string
      secretSha256: string
      scopes: readonly Scope[]
      datasets: readonly string[] | null
      expiresAt: string | null
    },
  ) {
    return database.call(
      'create_key',
      { p_caller: callerJson(requester), p_key: key },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('created'), key: AccessKey }),
        z.object({ outcome: z.literal('too_many_keys'), max: z.int() }),
      ]),
    )
  },

  /** Newest first; `before` is the last key of the page before. */
  listKeys(requester: Requester, page: { before?: { createdAt: string; id: string } | undefined; limit: number }) {
    return database.call(
      'list_keys',
      {
        p_caller: callerJson(requester),
        p_before_created: page.before?.createdAt ?? null,
        p_before_id: page.before?.id ?? null,
        p_limit: page.limit,
      },
      readableRows('keys', AccessKey),
    )
  },

  revokeKey(requester: Requester, keyId: string) {
    return database.call(
      'revoke_key',
      { p_caller: callerJson(requester), p_key_id: keyId },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('revoked'), key: AccessKey }),
        outcome('unknown_key'),
      ]),
    )
  },

  /** @param secretSha256 hexadecimal, of the whole key */
  authenticateKey(keyId: string, secretSha256: string) {
    return database.call(
      'authenticate_key',
      { p_key_id: keyId, p_secret_sha256: secretSha256 },
      z.discriminatedUnion('outcome', [
        z.object({
          outcome: z.literal('valid'),
          userId: UserId,
          scopes: z.array(Scope),
          expiresAt: z.string().nullable(),
          forAllDatasets: z.boolean(),
        }),
        outcomes('revoked', 'expired', 'unknown_key'),
      ]),
    )
  },

  /**
   * The key that signs links of the caller: their own, or one that is made for them and this dataset the first time.
   * @param made.secretSha256 of the new one; nobody has its secret
   */
  linkKey(datasetId: string, requester: Requester, made: { id: string; secretSha256: string }) {
    return database.call(
      'link_key',
      {
        p_dataset_id: datasetId,
        p_caller: callerJson(requester),
        p_id: made.id,
        p_secret_sha256: made.secretSha256,
      },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), keyId: KeyId, secretSha256: z.string() }),
        outcome('unknown_dataset'),
      ]),
    )
  },

  /** With what the links of a key are signed. */
  readLinkKey(keyId: string) {
    return database.call(
      'read_link_key',
      { p_key_id: keyId },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('valid'), userId: UserId, secretSha256: z.string(), scopes: z.array(Scope) }),
        outcomes('revoked', 'expired', 'unknown_key'),
      ]),
    )
  },

  /** @param look only say what it would do */
  reserveDataset(datasetId: string, requester: Requester, look = false) {
    return database.call(
      'reserve_dataset',
      { p_dataset_id: datasetId, p_caller: callerJson(requester), p_look: look },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.enum(['free', 'reserved', 'exists']), ownerId: UserId }),
        outcome('unknown_dataset'),
      ]),
    )
  },

  grantRole(datasetId: string, requester: Requester, userId: string, role: Role) {
    return database.call(
      'grant_role',
      { p_dataset_id: datasetId, p_caller: callerJson(requester), p_user_id: userId, p_role: role },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('granted'), role: Role }),
        outcomes('unknown_dataset', 'unknown_user', 'is_owner'),
      ]),
    )
  },

  /** Anybody may give up their own role; the roles of others are for those who manage the dataset. */
  revokeRole(datasetId: string, requester: Requester, userId: string) {
    return database.call(
      'revoke_role',
      { p_dataset_id: datasetId, p_caller: callerJson(requester), p_user_id: userId },
      outcomes('revoked', 'unknown_dataset', 'is_owner'),
    )
  },

  /** In order of user; `after` is the last user of the page before. */
  listGrants(datasetId: string, requester: Requester, page: { after?: string | undefined; limit: number }) {
    return database.call(
      'list_grants',
      {
        p_dataset_id: datasetId,
        p_caller: callerJson(requester),
        p_after: page.after ?? null,
        p_limit: page.limit,
      },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), ownerId: UserId, grants: readableRows('grants', Grant) }),
        outcome('unknown_dataset'),
      ]),
    )
  },

  transferDataset(datasetId: string, requester: Requester, userId: string) {
    return database.call(
      'transfer_dataset',
      { p_dataset_id: datasetId, p_caller: callerJson(requester), p_user_id: userId },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('transferred'), ownerId: UserId, earlierOwners: z.array(UserId) }),
        outcomes('unknown_dataset', 'unknown_user'),
      ]),
    )
  },

  /** Newest first; a filter that is left out matches all, `before` is the last entry of the page before. */
  listAudit(
    requester: Requester,
    query: { datasetId?: string | undefined; action?: string | undefined; before?: number | undefined; limit: number },
  ) {
    return database.call(
      'list_audit',
      {
        p_caller: callerJson(requester),
        p_dataset_id: query.datasetId ?? null,
        p_action: query.action ?? null,
        p_before_id: query.before ?? null,
        p_limit: query.limit,
      },
      readableRows('audit entries', AuditEntry),
    )
  },
})
