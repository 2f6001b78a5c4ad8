import { expect } from 'vitest'
import { call, json, post } from './api.ts'
import { joinBytes, sha256 } from './files.ts'
import type { User } from './tokens.ts'

export const PART_BYTES = 8 * 1024 * 1024

/** A file with so many bytes between its pages and its footer that it has `byteLength` in all. */
export function padded(file: Uint8Array, byteLength: number): Uint8Array<ArrayBuffer> {
  const footerBytes = new DataView(file.buffer, file.byteOffset).getUint32(file.length - 8, true)
  const at = file.length - 8 - footerBytes
  return joinBytes(file.subarray(0, at), new Uint8Array(byteLength - file.length), file.subarray(at))
}

export const partOf = (bytes: Uint8Array<ArrayBuffer>, number: number): Uint8Array<ArrayBuffer> =>
  bytes.slice((number - 1) * PART_BYTES, number * PART_BYTES)

export const digestOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  `sha-256=:${new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toBase64()}:`

export async function open(
  user: User,
  datasetId: string,
  bytes: Uint8Array<ArrayBuffer>,
  fields: object = {},
): Promise<Response> {
  const body = { table: 't', byteLength: bytes.length, sha256: await sha256(bytes), ...fields }
  return post(`/api/datasets/${datasetId}/uploads`, body, { token: user.token })
}

/** Sends a part of a file, by default with its digest. */
export async function sendPart(
  user: User,
  uploadId: string,
  number: number | string,
  bytes: Uint8Array<ArrayBuffer>,
  headers?: Record<string, string>,
): Promise<Response> {
  const part = partOf(bytes, Number(number))
  // a number that no part of the file has
  const body = part.length > 0 ? part : bytes
  const digest = headers ?? { 'content-digest': await digestOf(body) }
  return call(`/api/uploads/${uploadId}/parts/${number}`, {
    token: user.token,
    method: 'PUT',
    body,
    headers: { 'content-type': 'application/octet-stream', ...digest },
  })
}

/** @returns the id of an upload all of whose parts are there */
export async function openAndSend(
  user: User,
  datasetId: string,
  bytes: Uint8Array<ArrayBuffer>,
  fields: object = {},
): Promise<string> {
  const opened = await open(user, datasetId, bytes, fields)
  const { uploadId, parts } = await opened.json<{ uploadId: string; parts: number }>()
  for (let number = 1; number <= parts; number++)
    expect((await sendPart(user, uploadId, number, bytes)).status).toBe(200)
  return uploadId
}

export const complete = (user: User, uploadId: string): Promise<Response> =>
  call(`/api/uploads/${uploadId}/complete`, { token: user.token, method: 'POST' })

export const read = (user: User, uploadId: string): Promise<unknown> =>
  json(`/api/uploads/${uploadId}`, { token: user.token })

export const bytesOfFile = async (user: User, fileId: string): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await (await call(`/api/files/${fileId}`, { token: user.token })).arrayBuffer())
