import { z } from 'zod'

/** Which jobs may run at once; see docs/configuration.md. */
export const Admission = z
  .object({
    maxRunningJobs: z.int().min(1).meta({ description: 'jobs that run at the same time' }),
    maxRunningJobsOfOwner: z.int().min(1).meta({ description: 'of these, jobs of one owner' }),
    ageingSeconds: z.int().min(1).meta({ description: 'seconds of waiting that make up for one rank of priority' }),
  })
  .meta({ id: 'Admission' })
export type Admission = z.infer<typeof Admission>
