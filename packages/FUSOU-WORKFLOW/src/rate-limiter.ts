import { WorkerEntrypoint } from 'cloudflare:workers'
import type { Env } from './env.ts'

/** Called by FUSOU-WEB over its service binding. */
export class RateLimiter extends WorkerEntrypoint<Env> {
  /** @returns whether one more upload under this key is allowed now */
  async limit(key: string): Promise<boolean> {
    const { success } = await this.env.UPLOAD_LIMIT.limit({ key })
    return success
  }
}
