import { FusouError } from '@fusou/catalog'
import { z } from 'zod'
import { declaredLength } from '../http/body-headers.ts'
import { check, readFields } from '../http/check.ts'
import { PARQUET_MEDIA_TYPE } from './stream-put.ts'
import { UploadFields } from './upload-fields.ts'
import { holdForm, MAX_FORM_BYTES } from './upload-memory.ts'

/** Largest raw body: the limit of the platform on its smaller plans. */
export const MAX_UPLOAD_BYTES = 100 * 1024 * 1024

export const RAW_MEDIA_TYPES: readonly string[] = [
  PARQUET_MEDIA_TYPE,
  'application/octet-stream',
  'application/x-parquet',
]
const FORM_MEDIA_TYPE = 'multipart/form-data'

/** A body that is about to be received, in either form. Dispose of it when it has been, or will not be. */
export interface OpenBody extends Disposable {
  readonly fields: UploadFields
  readonly byteLength: number
  readonly stream: ReadableStream<Uint8Array>
}

/** @throws FusouError `unsupported_media_type`, `length_required`, `body_too_large`, `overloaded`, `invalid_form`, `invalid_request` */
export async function openBody(request: Request): Promise<OpenBody> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  if (RAW_MEDIA_TYPES.includes(type)) return openRawBody(request)
  if (type === FORM_MEDIA_TYPE) return openForm(request)
  throw new FusouError('unsupported_media_type', `send ${RAW_MEDIA_TYPES.join(', ')} or ${FORM_MEDIA_TYPE}`)
}

function openRawBody(request: Request): OpenBody {
  const asked = readFields(new URL(request.url).searchParams)
  const fields = check(UploadFields, asked.fields, 'query', asked.repeated)
  const byteLength = requireLength(request)
  if (byteLength > MAX_UPLOAD_BYTES) throw new FusouError('body_too_large', `at most ${MAX_UPLOAD_BYTES} bytes`)
  return { fields, byteLength, stream: request.body ?? emptyStream(), [Symbol.dispose]: () => {} }
}

async function openForm(request: Request): Promise<OpenBody> {
  const declared = requireLength(request)
  if (declared > MAX_FORM_BYTES) {
    const advice = 'send a larger file as the body itself, with the fields in the query'
    throw new FusouError('body_too_large', `a form may have ${MAX_FORM_BYTES} bytes; ${advice}`)
  }
  const inQuery = readFields(new URL(request.url).searchParams)
  check(z.strictObject({}), inQuery.fields, 'query, beside a form, whose fields belong into the form')
  const memory = await holdForm(declared)
  try {
    return { ...(await readForm(request)), [Symbol.dispose]: () => memory[Symbol.dispose]() }
  } catch (error) {
    memory[Symbol.dispose]()
    throw error
  }
}

async function readForm(request: Request): Promise<Omit<OpenBody, keyof Disposable>> {
  const form = await request.formData().catch((cause: unknown) => {
    throw new FusouError('invalid_form', 'the form does not parse', { cause })
  })
  const [file, another] = form.getAll('file')
  if (!(file instanceof File) || another !== undefined)
    throw new FusouError('invalid_request', 'in the form: file: exactly one is needed, as a file')
  const texts: [string, string][] = []
  const files: [string, unknown][] = []
  for (const [name, value] of form) (typeof value === 'string' ? texts : files).push([name, value] as never)
  const { fields: given, repeated } = readFields(texts)
  const others = Object.fromEntries(files.filter(([name]) => name !== 'file'))
  const fields = check(UploadFields, { fileName: file.name, ...others, ...given }, 'form', repeated)
  return { fields, byteLength: file.size, stream: file.stream() }
}

/** @throws FusouError `length_required`, `invalid_request` */
export function requireLength(request: Request): number {
  const byteLength = declaredLength(request)
  if (byteLength === undefined)
    throw new FusouError('length_required', 'send Content-Length; chunked bodies are not taken')
  return byteLength
}

const emptyStream = () => new Blob([]).stream()
