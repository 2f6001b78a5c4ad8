import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import { AlertChange, type AlertChannel, type AlertRules } from '../records/alert.ts'
import { Outbox } from './outcomes.ts'

/** Calls of the database about alerts. */
export const alertsCalls = (database: Database) => ({
  /** Looks for trouble and settles every alert; the messages of the answer are the sender's to send. */
  raiseAlerts(rules: AlertRules, channels: readonly AlertChannel[], sender: string) {
    return database.call(
      'raise_alerts',
      { p_rules: rules, p_channels: channels, p_sender: sender },
      z.object({ changes: readableRows('alert changes', AlertChange), outbox: Outbox }),
    )
  },
})
