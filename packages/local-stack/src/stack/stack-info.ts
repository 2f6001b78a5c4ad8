import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** Facts about a running stack for other programs, in `<state folder>/stack.json` (mode 0600). */
export const StackInfo = z.object({
  /** process id of `npm start` */
  pid: z.number().int(),
  stateFolder: z.string(),
  webUrl: z.url(),
  supabaseUrl: z.url(),
  publishableKey: z.string(),
  secretKey: z.string(),
  operatorToken: z.string(),
  users: z.array(z.object({ email: z.string(), password: z.string() })),
  /** a door into queues and cron that only the local stack has; wants `Authorization: Bearer <controlToken>` */
  controlUrl: z.url(),
  controlToken: z.string(),
})
export type StackInfo = z.infer<typeof StackInfo>

export const stackFile = (stateFolder: string) => join(stateFolder, 'stack.json')

/** Written beside and renamed, so that a reader sees all of it or nothing. */
export function writeStackInfo(info: StackInfo): void {
  const partial = `${stackFile(info.stateFolder)}.${randomUUID()}`
  writeFileSync(partial, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 })
  renameSync(partial, stackFile(info.stateFolder))
}

export function removeStackInfo(stateFolder: string): void {
  rmSync(stackFile(stateFolder), { force: true })
}

/** @returns undefined when no stack runs on this state folder */
export function readStackInfo(stateFolder: string): StackInfo | undefined {
  let text: string
  try {
    text = readFileSync(stackFile(stateFolder), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return StackInfo.parse(JSON.parse(text))
}
