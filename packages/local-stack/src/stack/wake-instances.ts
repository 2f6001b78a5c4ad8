import { globSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { deserialize } from 'node:v8'

/** The part of a Workflow binding that is used here. */
export interface WorkflowDoor {
  get(id: string): Promise<{ sendEvent(event: { type: string; payload: unknown }): Promise<void> }>
}

/** Queued, running, waiting for an event: the engine's own numbers. */
const UNDER_WAY = [0, 1, 7]

/**
 * The instances of a Workflow that were under way when the runtime was last ended. To be read before it starts again.
 * @param cloudflareFolder where Miniflare keeps what it persists
 */
export function findInstancesUnderWay(cloudflareFolder: string, workflow: string): string[] {
  return globSync(join(cloudflareFolder, 'workflows', `miniflare-workflows-${workflow}`, '*.sqlite')).flatMap(
    (path) => {
      const engine = new DatabaseSync(path, { readOnly: true })
      const kept = engine.prepare("select 1 from sqlite_master where name = '_cf_KV'").get() !== undefined
      const read = (key: string): unknown => {
        const row = kept ? engine.prepare('select value from _cf_KV where key = ?').get(key) : undefined
        return row && deserialize(row.value as Uint8Array)
      }
      const status = (read('ENGINE_STATUS') ?? 0) as number
      const metadata = read('INSTANCE_METADATA') as { instance: { id: string } } | undefined
      engine.close()
      return metadata && UNDER_WAY.includes(status) ? [metadata.instance.id] : []
    },
  )
}

/**
 * Let instances go on at their next step, as the platform does. The local engine does not by itself: one that was ended
 * with its runtime says that it runs and does nothing, until an event comes in.
 */
export async function wakeInstances(workflow: WorkflowDoor, ids: readonly string[]): Promise<void> {
  for (const id of ids) await (await workflow.get(id)).sendEvent({ type: 'runtime-started', payload: null })
}
