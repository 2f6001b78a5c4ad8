import { createHmac } from 'node:crypto'
import { AN_OPERATOR } from '@fusou/catalog'
import { expect, inject, test } from 'vitest'
import { deliverWebhooks } from '../src/webhooks/deliver-webhooks.ts'
import type { Answer, Received } from './alert-receiver.ts'
import { fragment, newDatasetId, newUserId, upload } from './fragments.ts'
import { catalog } from './test-env.ts'

const receiverUrl = inject('alertReceiverUrl')
const SECRET = `whsec_${Buffer.from('a secret of these tests').toString('base64')}`

async function hook(datasetId: string, ...answers: Answer[]) {
  const id = crypto.randomUUID()
  await fetch(`${receiverUrl}/answers/${id}`, { method: 'PUT', body: JSON.stringify(answers) })
  await catalog.createWebhook(datasetId, AN_OPERATOR, {
    id,
    url: `${receiverUrl}/hooks/${id}`,
    events: ['dataset.changed'],
    secret: SECRET,
  })
  return async () => (await (await fetch(`${receiverUrl}/received/${id}`)).json()) as Received[]
}
const stateOf = async (datasetId: string) => {
  const listed = await catalog.listWebhooks(datasetId, AN_OPERATOR)
  return listed.outcome === 'ok' ? listed.webhooks : []
}

test('receivers are told of an upload, signed, each by itself whatever the others answer', async () => {
  const datasetId = newDatasetId()
  const owner = newUserId()
  await upload(datasetId, owner, [{ table: 't', bytes: fragment(0, 3) }])
  const [well, refused, moved, gone] = [
    await hook(datasetId),
    await hook(datasetId, { status: 500 }),
    await hook(datasetId, { status: 302, headers: { Location: `${receiverUrl}/hooks/elsewhere` } }),
    await hook(datasetId, { status: 410 }),
  ]
  await upload(datasetId, owner, [{ table: 't', bytes: fragment(3, 3) }])

  await deliverWebhooks(catalog)

  const [message] = await well()
  const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) => message!.headers[`webhook-${name}`])
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64')
  expect(message!.body).toMatchObject({ type: 'dataset.changed', data: { datasetId, version: 2 } })
  expect(signature).toBe(
    `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${message!.text}`).digest('base64')}`,
  )
  expect([await refused(), await moved(), await gone()].map(({ length }) => length)).toEqual([1, 1, 1])
  expect(await (await fetch(`${receiverUrl}/received/elsewhere`)).json(), 'redirects are not followed').toEqual([])
  expect((await stateOf(datasetId)).map(({ lastError, waiting }) => [lastError, waiting])).toEqual([
    [null, 0],
    ['the receiver answered 500', 1],
    ['the receiver answered 302', 1],
    ['the receiver answered 410', 0],
  ])
  expect((await stateOf(datasetId))[3]!.disabledAt).not.toBeNull()
})
