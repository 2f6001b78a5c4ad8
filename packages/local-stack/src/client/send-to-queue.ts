import { z } from 'zod'
import type { StackInfo } from '../stack/stack-info.ts'

/** One message as both ways of sending take it. */
export interface QueueMessage {
  body: unknown
  contentType: 'json' | 'text'
}

/** The queue did not take the message; the text says who refused it and why. */
export class SendError extends Error {
  override name = 'SendError'
}

/** Through the control door of the running local stack. */
export async function sendToLocalQueue(stack: StackInfo, queue: string, message: QueueMessage): Promise<void> {
  const response = await request(`${stack.controlUrl}/queues/${encodeURIComponent(queue)}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${stack.controlToken}`,
      'content-type': message.contentType === 'text' ? 'text/plain' : 'application/json',
    },
    body: message.contentType === 'text' ? String(message.body) : JSON.stringify(message.body),
  })
  if (response.ok) return
  const { error, queues } = (await response.json()) as { error: string; queues?: string[] }
  throw new SendError(`${queue}: ${error}${queues ? ` (there are: ${queues.join(', ')})` : ''}`)
}

/** Where the HTTP push API of Cloudflare Queues is, and who sends. */
export interface CloudflareAccount {
  accountId: string
  /** needs the permission Queues Edit */
  apiToken: string
  baseUrl: string
}

const ApiAnswer = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number().optional(), message: z.string() })).default([]),
  result: z.unknown(),
  result_info: z.object({ total_pages: z.number().optional() }).nullish(),
})
const QueueList = z.array(z.object({ queue_id: z.string(), queue_name: z.string() }))

/**
 * Through `POST /accounts/{account}/queues/{queue_id}/messages`.
 * @see https://developers.cloudflare.com/api/resources/queues/subresources/messages/methods/push/
 */
export async function sendToRemoteQueue(
  account: CloudflareAccount,
  queue: string,
  message: QueueMessage,
): Promise<void> {
  const queueId = await findQueueId(account, queue)
  await callApi(account, `queues/${queueId}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ body: message.body, content_type: message.contentType }),
  })
}

async function findQueueId(account: CloudflareAccount, queue: string): Promise<string> {
  const names: string[] = []
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const { result, result_info } = await callApi(account, `queues?page=${page}`, {})
    const listed = QueueList.parse(result)
    const found = listed.find(({ queue_name }) => queue_name === queue)
    if (found) return found.queue_id
    names.push(...listed.map(({ queue_name }) => queue_name))
    pages = result_info?.total_pages ?? 1
  }
  throw new SendError(`the account has no queue ${queue} (it has: ${names.join(', ') || 'none'})`)
}

async function callApi({ baseUrl, accountId, apiToken }: CloudflareAccount, path: string, init: RequestInit) {
  const response = await request(`${baseUrl}/accounts/${encodeURIComponent(accountId)}/${path}`, {
    ...init,
    headers: { ...init.headers, authorization: `Bearer ${apiToken}` },
  })
  const text = await response.text()
  const answer = ApiAnswer.safeParse(parseJson(text))
  if (!answer.success) throw new SendError(`Cloudflare answered ${response.status}: ${text.slice(0, 200)}`)
  if (!response.ok || !answer.data.success) {
    const why = answer.data.errors.map(({ code, message }) => `${message}${code ? ` (${code})` : ''}`).join('; ')
    throw new SendError(`Cloudflare answered ${response.status}: ${why || 'no reason given'}`)
  }
  return answer.data
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new SendError(
      `${new URL(url).host} did not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
