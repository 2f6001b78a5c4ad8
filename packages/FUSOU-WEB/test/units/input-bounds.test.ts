import { expect, test } from 'vitest'
import { describeApi } from '../../src/http/describe-api.ts'
import { allRoutes } from '../../src/routes/all-routes.ts'

interface Schema {
  readonly [key: string]: unknown
  readonly $ref?: string
  readonly properties?: Record<string, Schema>
  readonly format?: string
  readonly pattern?: string
}

const document = describeApi(
  allRoutes(() => {
    throw new Error('no call is made')
  }),
) as {
  paths: Record<string, Record<string, { parameters: { name: string; schema: Schema }[]; requestBody?: unknown }>>
  components: { schemas: Record<string, Schema> }
}

/** Each bound on its place, as `place: bound`. Formats have patterns of the validator, which say no more. */
function boundsOf(schema: Schema, place: string): string[] {
  const ranges = [
    [schema.exclusiveMinimum === undefined ? schema.minimum : `>${schema.exclusiveMinimum}`, schema.maximum, ''],
    [schema.minLength, schema.maxLength, ' characters'],
    [schema.minItems, schema.maxItems, ' items'],
  ] as const
  const said = [
    ...ranges
      .filter((range) => range[0] !== undefined || range[1] !== undefined)
      .map(([least, most, unit]) => `${least ?? ''}…${most === Number.MAX_SAFE_INTEGER ? '' : (most ?? '')}${unit}`),
    ...((schema.format ?? schema.pattern) ? [schema.format ?? schema.pattern!] : []),
  ]
  const inside = Object.entries(schema).flatMap(([key, value]) => {
    if (key === 'properties') {
      const properties = Object.entries(value as Record<string, Schema>)
      return properties.flatMap(([name, property]) => boundsOf(property, `${place} ${name}`))
    }
    const parts = Array.isArray(value) ? value : [value]
    return parts.filter((part) => typeof part === 'object' && part !== null).flatMap((part) => boundsOf(part, place))
  })
  return [...(said.length > 0 ? [`${place}: ${said.join(' ')}`] : []), ...inside]
}

function inputSchemas(value: unknown, found = new Set<string>()): Set<string> {
  for (const [, name] of JSON.stringify(value).matchAll(/#\/components\/schemas\/(\w+)/g)) {
    if (found.has(name!)) continue
    found.add(name!)
    inputSchemas(document.components.schemas[name!], found)
  }
  return found
}

// Clients check their inputs by these bounds before they call: a change of the list is a change of the contract.
test('every input has the bounds of input-bounds.txt: vitest -u writes it', async () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  )
  const parameters = operations.flatMap(([name, operation]) =>
    operation.parameters.flatMap((parameter) => boundsOf(parameter.schema, `${name} ${parameter.name}`)),
  )
  const bodies = [...inputSchemas(operations.map(([, { requestBody }]) => requestBody ?? {}))].flatMap((name) =>
    boundsOf(document.components.schemas[name]!, name),
  )
  await expect(`${[...parameters, ...bodies].join('\n')}\n`).toMatchFileSnapshot('input-bounds.txt')
})
