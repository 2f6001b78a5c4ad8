import { z } from 'zod'

/** Why bucket and catalog do not belong together; see docs/installation.md. */
export const PairingProblem = z.enum(['unclaimed_bucket', 'missing_stamp', 'foreign_bucket', 'catalog_restored'])
export type PairingProblem = z.infer<typeof PairingProblem>

/** The object under `INSTALLATION_KEY`. */
export const InstallationObject = z.object({ id: z.uuid(), stamp: z.int().nonnegative() })

/** A look at the bucket: its id, or for a bucket without one its first page. */
export type BucketLook =
  | z.infer<typeof InstallationObject>
  | { objects: number; truncated: boolean; oldestAt: string | null }

export const CheckedInstallation = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('paired'), id: z.uuid(), stamp: z.int(), write: z.boolean() }),
  z.object({ outcome: z.literal('claim'), id: z.uuid(), stamp: z.int() }),
  z.object({ outcome: z.literal('problem'), problem: PairingProblem }),
])

export const AcceptedInstallation = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('accepted'), id: z.uuid(), stamp: z.int() }),
  z.object({ outcome: z.literal('changed'), problem: PairingProblem.nullable() }),
])

/** The state of the installation, as operators see it. */
export const InstallationStatus = z.object({
  id: z.uuid(),
  problem: PairingProblem.nullable().meta({ description: 'while there is one, nothing is merged or deleted' }),
  problemSince: z.string().nullable(),
  bucketId: z.string().nullable().meta({ description: 'the installation id that was last read from the bucket' }),
  paused: z
    .object({ since: z.string(), by: z.string(), reason: z.string().nullable() })
    .nullable()
    .meta({ description: 'an operator has paused all deletions' }),
  sweep: z
    .object({
      objects: z.int().nullable(),
      orphans: z.int().nullable(),
      stoppedSince: z.string().nullable().meta({ description: 'since when each round found too many orphans' }),
      acceptedOrphans: z.int().nullable(),
    })
    .nullable()
    .meta({ description: 'what the last round over all objects found' }),
  keptObjects: z.int().meta({ description: 'objects without a row that adoption left to a person' }),
})
