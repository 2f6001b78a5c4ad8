// Stands for fusou-workflow: refuses the uploads of one user, and keeps the messages of the queue where tests see them.
import { WorkerEntrypoint } from 'cloudflare:workers'

const LIMITED_USER = '00000000-0000-4000-8000-000000000429'

export class RateLimiter extends WorkerEntrypoint {
  async limit(key) {
    return key !== LIMITED_USER
  }
}

export default {
  async queue(batch, env) {
    for (const message of batch.messages) await env.MESSAGES.put(message.body.jobId, JSON.stringify(message.body))
  },
}
