import { JobId } from '@fusou/catalog'
import { z } from 'zod'

/** What an instance of the Workflow is started with. */
export const JobParams = z.object({ jobId: JobId, attempt: z.int().positive() })
export type JobParams = z.infer<typeof JobParams>
