import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { AddressedThing, ComposedFooter, FooterFile } from '../records/table-file.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcome, outcomes } from './outcomes.ts'

/** A table, or one period of it. */
export interface TableScope {
  readonly datasetId: string
  readonly table: string
  readonly periodTag?: string | undefined
}

const scopeInputs = ({ datasetId, table, periodTag }: TableScope, requester: Requester) => ({
  p_dataset_id: datasetId,
  p_caller: callerJson(requester),
  p_table: table,
  p_period_tag: periodTag ?? null,
})

/** Calls of the database about tables that are read as one file. */
export const tableFilesCalls = (database: Database) => ({
  /**
   * @param open.version the newest if it is left out
   * @param open.pinned whether the version has addresses of its own
   * @param open.id of the footer, should the caller have to compose it; a repeated call with it composes the same one
   */
  openTable(
    scope: TableScope,
    requester: Requester,
    open: { version?: number | undefined; pinned: boolean; id: string },
  ) {
    return database.call(
      'open_table',
      { ...scopeInputs(scope, requester), p_version: open.version ?? null, p_pinned: open.pinned, p_id: open.id },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ready'), footer: ComposedFooter }),
        z.object({ outcome: z.literal('refused'), code: z.string(), detail: z.string() }),
        z.object({
          outcome: z.literal('compose'),
          id: z.uuid(),
          version: z.int(),
          address: z.int().nullable(),
          leftOut: z.int(),
          r2Key: z.string(),
        }),
        z.object({ outcome: z.literal('too_many_files'), max: z.int() }),
        outcomes('busy', 'unknown_dataset', 'unknown_table', 'unknown_version', 'version_gone', 'no_addresses'),
      ]),
    )
  },

  /** The files that a footer is composed of, in the order in which they came; `after` is the last one before. */
  listFooterFiles(footerId: string, after: Pick<FooterFile, 'id' | 'createdVersion'> | undefined, limit: number) {
    return database.call(
      'list_footer_files',
      {
        p_id: footerId,
        p_after_version: after?.createdVersion ?? null,
        p_after_id: after?.id ?? null,
        p_limit: limit,
      },
      z.array(FooterFile),
    )
  },

  /** The object of the footer is stored; `changed`: begin again. */
  completeFooter(footerId: string, footer: { address: number; tailBytes: number; layoutBytes: number; rows: number }) {
    return database.call(
      'complete_footer',
      {
        p_id: footerId,
        p_address: footer.address,
        p_tail_bytes: footer.tailBytes,
        p_layout_bytes: footer.layoutBytes,
        p_rows: footer.rows,
      },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ready'), footer: ComposedFooter }),
        outcome('changed'),
      ]),
    )
  },

  /** @param refused why this version can never be read as one file; without it somebody else may try */
  failFooter(footerId: string, refused?: { code: string; detail: string }) {
    return database.call(
      'fail_footer',
      { p_id: footerId, p_code: refused?.code ?? null, p_detail: refused?.detail ?? null },
      outcome('ended'),
    )
  },

  /**
   * @param look.table that must have data; left out: none need have
   * @param look.at an instant; left out: now
   * @param look.isLater the first version at or after the instant, else the last at or before it
   */
  versionAt(
    datasetId: string,
    requester: Requester,
    look: { table?: string | undefined; at?: string | undefined; isLater?: boolean },
  ) {
    return database.call(
      'version_at',
      {
        p_dataset_id: datasetId,
        p_caller: callerJson(requester),
        p_table: look.table ?? null,
        p_at: look.at ?? null,
        p_later: look.isLater ?? false,
      },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), version: z.int() }),
        outcomes('unknown_dataset', 'unknown_table', 'unknown_version', 'version_gone'),
      ]),
    )
  },

  /** What lies at the addresses `from` to before `to`, and the next thing behind them; at most `limit` things. */
  readAddresses(scope: TableScope, requester: Requester, range: { from: number; to: number; limit: number }) {
    return database.call(
      'read_addresses',
      { ...scopeInputs(scope, requester), p_from: range.from, p_to: range.to, p_limit: range.limit },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), length: z.int(), things: z.array(AddressedThing) }),
        outcomes('not_open', 'unknown_dataset'),
      ]),
    )
  },
})
