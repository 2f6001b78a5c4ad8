import { UserId } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { route } from '../../http/operation.ts'

/** Datasets that one call deletes. */
const DATASETS_PER_CALL = 100

const UserDataAnswer = z
  .object({
    success: z.literal(true),
    userId: UserId,
    datasets: z.int().meta({ description: 'deleted by this call' }),
    more: z.boolean().meta({ description: 'call again: some datasets are left' }),
  })
  .meta({ id: 'UserDataAnswer' })

export const deleteUserData = route(
  {
    method: 'delete',
    path: '/api/users/:id/data',
    summary: 'Delete every dataset of a user, revoke their keys and end their roles; by an operator or the user',
    access: 'reader',
    params: z.object({ id: UserId }),
    answers: { 200: { description: 'Repeat it while there is more', schema: UserDataAnswer } },
  },
  async (c, { params: { id } }) => {
    const { datasets, more } = await c.var.services.catalog.deleteUserData(requesterOf(c), id, DATASETS_PER_CALL)
    return c.json({ success: true, userId: id, datasets, more })
  },
)
