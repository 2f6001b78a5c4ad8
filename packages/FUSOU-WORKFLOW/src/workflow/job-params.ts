import { JobId } from '@fusou/catalog'
import { z } from 'zod'

/** Parameters of a Workflow instance. */
export const JobParams = z.object({ jobId: JobId, attempt: z.int().positive() })
export type JobParams = z.infer<typeof JobParams>
