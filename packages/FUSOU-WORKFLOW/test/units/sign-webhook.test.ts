import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { signWebhook } from '../../src/webhooks/sign-webhook.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

test('a message is signed as the example of the Standard Webhooks specification', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampSeconds: 1614265330, body: '{"test": 2432232314}' }
  expect(signWebhook(SECRET, message)).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('the signature is over id, time and body', () => {
  const body = '{"data":"größer"}'
  const { 'webhook-signature': signature } = signWebhook(SECRET, { id: 'msg_1', timestampSeconds: 7, body })
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64')
  expect(signature).toBe(`v1,${createHmac('sha256', key).update(`msg_1.7.${body}`).digest('base64')}`)
})
