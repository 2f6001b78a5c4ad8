import { z } from 'zod'

const Limit = z.int().nonnegative()

/** Limits of one owner. Operators and the system itself are not limited. */
export const Limits = z
  .object({
    datasets: Limit,
    liveFiles: Limit.meta({ description: 'files of the newest versions; those that were merged away do not count' }),
    liveBytes: Limit.meta({ description: 'bytes of these files' }),
    jobsByHandPerHour: Limit.meta({
      description: 'new jobs that the owner asked for; uploads and the daily round do not count',
    }),
    eventStreams: Limit.meta({ description: 'connections that follow a job, at the same time' }),
    openUploads: Limit.meta({ description: 'uploads in parts that are open, at the same time' }),
  })
  .meta({ id: 'Limits' })
export type Limits = z.infer<typeof Limits>

/** Changes of limits: a field that is left out stays, null goes back to the default. */
export type LimitChanges = { readonly [Name in keyof Limits]?: number | null | undefined }

export const LimitsOfOwner = z.object({
  defaults: Limits.meta({ description: 'of every owner without limits of their own' }),
  owner: z.object({ id: z.uuid(), limits: Limits, usage: Limits }).nullable(),
})
