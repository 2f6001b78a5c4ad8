import { serveSql, serveSupabase } from '@fusou/embedded-supabase'
import { runAsChild } from './child.ts'
import { LOOPBACK } from './choose-port.ts'

for (const level of ['debug', 'log', 'info', 'warn', 'error'] as const)
  console[level] = (...values) => process.stdout.write(`${JSON.stringify(logLine(level, values))}\n`)

/** One line an event, as the Workers do: the embedded Supabase prints errors of the database over many. */
function logLine(level: string, values: unknown[]): object {
  const message = values.map((value) => (value instanceof Error ? value.message : String(value))).join(' ')
  const { code, query } = (values.find((value) => value instanceof Error) ?? {}) as { code?: string; query?: string }
  return { time: new Date().toISOString(), worker: 'supabase', level, message, code, query }
}

export interface SupabaseSettings {
  port: number
  /** whether to open a door for SQL too */
  sqlDoor: boolean
}

export interface SupabaseReady {
  /** file names of the migrations that this start applied */
  migrations: string[]
  sqlUrl: string | undefined
}

runAsChild<SupabaseSettings, SupabaseReady>(async ({ port, sqlDoor }) => {
  const { migrations, pglite, stop } = await serveSupabase(port)
  const door = sqlDoor ? await serveSql(pglite) : undefined
  return {
    migrations,
    sqlUrl: door && `http://${LOOPBACK}:${door.port}`,
    stop: async () => {
      door?.stop()
      await stop()
    },
  }
})
