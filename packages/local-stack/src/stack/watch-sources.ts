import { once } from 'node:events'
import { join } from 'node:path'
import { watch } from 'chokidar'

export type WorkerPart = 'web' | 'workflow'

/** Folders whose files end up in a Worker. */
const SOURCES: Record<string, readonly WorkerPart[]> = {
  'packages/FUSOU-WEB/src': ['web'],
  'packages/FUSOU-WEB/public': ['web'],
  'packages/FUSOU-WORKFLOW/src': ['workflow'],
  'packages/catalog/src': ['web', 'workflow'],
  'packages/parquet-compactor/src': ['web', 'workflow'],
}

/** An editor writes a file in several steps, and a checkout writes many files: one reload answers them all. */
const QUIET_MS = 100

/**
 * Call `reload` with the Workers whose sources have changed. Changes during a call lead to one more call after it.
 * @param fail gets an error of the watch itself, such as the system's limit of watched folders
 * @returns a function that stops it
 */
export async function watchSources(
  root: string,
  fail: (error: unknown) => void,
  reload: (changed: WorkerPart[]) => Promise<void>,
): Promise<() => Promise<void>> {
  const changed = new Set<WorkerPart>()
  let timer: NodeJS.Timeout | undefined
  let reloading = false
  const schedule = () => {
    clearTimeout(timer)
    timer = setTimeout(async () => {
      if (reloading) return
      reloading = true
      const parts = [...changed].sort()
      changed.clear()
      await reload(parts)
      reloading = false
      if (changed.size > 0) schedule()
    }, QUIET_MS)
  }
  const watchers = Object.entries(SOURCES).map(([folder, parts]) =>
    watch(join(root, folder), { ignoreInitial: true })
      .on('all', () => {
        for (const part of parts) changed.add(part)
        schedule()
      })
      .on('error', fail),
  )
  await Promise.all(watchers.map((watcher) => once(watcher, 'ready')))
  return async () => {
    clearTimeout(timer)
    await Promise.all(watchers.map((watcher) => watcher.close()))
  }
}
