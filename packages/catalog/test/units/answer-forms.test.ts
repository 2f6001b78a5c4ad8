import { connectCatalog } from '@fusou/catalog'
import { afterAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { Database } from '../../src/database/database.ts'
import { CALLS } from './every-call.ts'

interface Form {
  readonly [key: string]: unknown
  readonly properties?: Record<string, Form>
  readonly required?: readonly string[]
  readonly items?: Form
  readonly prefixItems?: readonly Form[]
  readonly anyOf?: readonly Form[]
  readonly oneOf?: readonly Form[]
  readonly additionalProperties?: Form | boolean
  readonly $ref?: string
  readonly enum?: readonly unknown[]
}

const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'default']

/** A form in the notation of TypeScript, with the bounds of each value behind it. */
function write(form: Form): string {
  const bounds = BOUNDS.filter((bound) => form[bound] !== undefined && Math.abs(Number(form[bound])) < 2 ** 53 - 1)
  const said = [
    form.title,
    form.format ?? form.pattern,
    ...bounds.map((bound) => `${bound} ${JSON.stringify(form[bound])}`),
  ]
  const behind = said.filter((one) => one !== undefined)
  return bare(form) + (behind.length > 0 ? `(${behind.join(', ')})` : '')
}

function bare(form: Form): string {
  const { properties, required = [], items, prefixItems, anyOf, oneOf, additionalProperties, $ref } = form
  if ($ref !== undefined) return $ref.replace('#/$defs/', '')
  if ('const' in form) return JSON.stringify(form.const)
  if (form.enum) return form.enum.map((value) => JSON.stringify(value)).join(' | ')
  const either = anyOf ?? oneOf
  if (either) return either.map(write).join(' | ')
  if (prefixItems) return `[${prefixItems.map(write).join(', ')}]`
  if (form.type === 'array') return `(${write(items ?? {})})[]`
  if (properties) {
    const fields = Object.entries(properties)
    return `{ ${fields.map(([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${write(field)}`).join('; ')} }`
  }
  if (typeof additionalProperties === 'object') return `Record<${write(additionalProperties)}>`
  return String(form.type ?? 'unknown')
}

// Lists whose rows are parsed one by one: here the whole list, with the name that the log gives to it.
vi.mock('../../src/database/readable-rows.ts', async () => {
  const zod = await import('zod')
  return { readableRows: (list: string, row: z.ZodType) => zod.z.array(row).meta({ title: list }) }
})

const call = vi.spyOn(Database.prototype, 'call')
afterAll(() => call.mockRestore())

// A Worker refuses any other answer: a change of the list says which migrations a release of the Workers needs.
test('every call of the database has the form of answer-forms.txt as its answer: vitest -u writes it', async () => {
  const schemas = new Map<string, z.ZodType>()
  call.mockImplementation(async (name: string, _args: unknown, schema: z.ZodType) => {
    schemas.set(`${name} ${schemas.size}`, schema)
    return undefined as never
  })
  const catalog = connectCatalog({ supabaseUrl: 'https://project.example', supabaseSecretKey: 'sb_secret_x' })
  const lines: string[] = []
  for (const [make] of CALLS) {
    schemas.clear()
    // only the call matters here, not what the method makes of its answer
    await make(catalog).catch(() => undefined)
    for (const [name, schema] of schemas) {
      const { $defs = {}, ...form } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Form & {
        $defs?: Record<string, Form>
      }
      lines.push(`${name.split(' ')[0]}: ${write(form)}`)
      for (const [id, shared] of Object.entries($defs)) lines.push(`${id} = ${write(shared)}`)
    }
  }
  expect(lines.length).toBeGreaterThan(CALLS.length)
  await expect(`${[...new Set(lines)].sort().join('\n')}\n`).toMatchFileSnapshot('answer-forms.txt')
})
