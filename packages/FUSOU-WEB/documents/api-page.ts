import { z } from 'zod'
import type { Operation } from '../src/http/operation.ts'

const CALLERS: Readonly<Record<Operation['access'], string>> = {
  open: 'anyone',
  user: 'a user',
  reader: 'a user, for what is theirs; an operator',
  operator: 'an operator',
  scheduler: 'an operator; the daily Action',
}

/** Lines of the page between which the reference stands. */
export const BEGIN = '<!-- reference: written by npm run docs -->'
export const END = '<!-- end of reference -->'

/** @returns the page with the reference of these operations in its place; everything around it stays */
export function withReference(page: string, operations: readonly Operation[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`the page needs the lines ${BEGIN} and ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${operations.map(describe).join('\n')}\n${page.slice(end)}`
}

function describe(operation: Operation): string {
  const {
    method,
    path,
    summary,
    access,
    params,
    query,
    documentedQuery,
    documentedHeaders,
    body,
    streamedBody,
    errors = [],
  } = operation
  const inputs = [
    ['path', fieldsOf(params)],
    ['query', fieldsOf(query ?? documentedQuery)],
    ['header', fieldsOf(documentedHeaders)],
    ['JSON body', fieldsOf(body)],
    ['body', Object.keys(streamedBody ?? {}).map((type) => `\`${type}\``)],
  ] as const
  const answers = Object.entries(operation.answers).map(([status, answer]) => `${status} ${answer.description}`)
  const lines = [
    `### ${method.toUpperCase()} ${path}`,
    '',
    `${summary.replace(/\.$/, '')}. For ${CALLERS[access]}.`,
    '',
    ...inputs.filter(([, fields]) => fields.length > 0).map(([name, fields]) => `- ${name}: ${fields.join(', ')}`),
    ...answers.map((answer) => `- answer: ${answer}`),
    ...(errors.length > 0 ? [`- errors: ${errors.map((code) => `\`${code}\``).join(', ')}`] : []),
    '',
  ]
  return lines.join('\n')
}

/** @returns each field with a question mark if it may be left out */
function fieldsOf(schema: z.ZodType | undefined): string[] {
  if (!schema) return []
  // A preprocessed schema accepts any input, so its fields show in its output only.
  const { properties = {}, required = [] } = objectOf(schema, 'input') ?? objectOf(schema, 'output') ?? {}
  const isOptional = (name: string) => !required.includes(name) || 'default' in (properties[name] as object)
  return Object.keys(properties).map((name) => `\`${name}${isOptional(name) ? '?' : ''}\``)
}

function objectOf(schema: z.ZodType, io: 'input' | 'output') {
  const described = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  const named = described.$ref?.replace('#/$defs/', '')
  const object = named === undefined ? described : described.$defs?.[named]
  return object?.properties && object
}
